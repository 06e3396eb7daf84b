"""Values for the addresses of the author's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courses.authoring import services
from courses.catalogue.services import draft_of, publish
from lms.people.models import Person
from tests.contract.samples import offers


@offers("authoring", "courses_exchange")
def authoring_samples(owner: Person) -> Mapping[str, Any]:
    """Make a course with a version and a draft."""
    course = services.start_course("Sample of an author", "Only for the tests.", owner.id)
    lesson = draft_of(course).lessons[0].id
    kept = services.add_card(course, lesson, "text", {"text": "Hello."}, None, owner.id)
    publish(course, owner.id)
    services.add_card(course, lesson, "text", {"text": "More."}, None, owner.id)
    return {"slug": course.slug, "lesson_id": lesson, "card_id": kept, "number": 1}
