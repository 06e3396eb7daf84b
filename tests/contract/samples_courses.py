"""Values for the parameters in addresses of courses."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from courses.catalogue.media import add_picture
from courses.progress.walk import take
from lms.db import db
from lms.people.models import Person
from tests.contract.samples import offers
from tests.factories.courses import make_course, make_path


@offers("courses")
def course_samples(owner: Person) -> dict[str, Any]:
    """Offer a course that the owner has begun, a path with it, and a picture."""
    course = make_course("sampled")
    path = make_path(course, slug="sampled-path")
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    picture = add_picture(made.getvalue())
    take(owner, course, 2)
    db.session.commit()
    return {
        "slug": course.slug,
        "lesson": "why",
        "card_id": "hello",
        "sha256": picture.sha256,
        "extension": picture.extension,
        "courses.path:slug": path.slug,
        "courses.join_path:slug": path.slug,
    }
