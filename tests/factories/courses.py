"""Courses and paths for tests: small, real, published."""

from __future__ import annotations

import itertools
from typing import Any

from courses.catalogue.document import Card, Document, Lesson
from courses.catalogue.models import Course
from courses.catalogue.services import create_course, publish
from courses.paths.models import Path
from courses.paths.services import PathFacts, put_path
from lms.db import db

_numbers = itertools.count(1)


def text_card(card_id: str, heading: str = "", text: str = "Say what you need.") -> Card:
    """Make a plain card."""
    return Card(card_id, "text", heading or card_id.title(), {"text": text})


def question(card_id: str, right: tuple[int, ...] = (1,), options: int = 3) -> Card:
    """Make a question with the options at `right` right."""
    return Card(
        card_id,
        "choice",
        "Which post will a stranger answer first?",
        {
            "text": "Same problem, three posts.",
            "multiple": len(right) > 1,
            "options": [
                {"text": f"Option {n}", "right": n in right, "feedback": f"Feedback {n}."}
                for n in range(options)
            ],
        },
    )


def mission(card_id: str, **data: Any) -> Card:
    """Make a mission."""
    given = {"text": "Post one.", "measure": "esn.acts", "verb": "posted", "at_least": 1}
    return Card(card_id, "mission", "Ask your own", given | data)


def make_document(title: str = "Ask well", **fields: Any) -> Document:
    """Make a course of two lessons: three cards and a question, two questions and a mission."""
    lessons = (
        Lesson(
            "why",
            "Why questions die",
            3,
            (text_card("hello"), text_card("habits"), question("which"), text_card("so")),
        ),
        Lesson(
            "ask",
            "Ask your own",
            4,
            (question("several", (0, 2)), question("last", (0,)), mission("mission")),
        ),
    )
    return Document(
        title=title,
        summary=f"{title}: questions that get answers.",
        **{"lessons": lessons, "pass_score": 0.6} | fields,
    )


def make_course(slug: str = "", document: Document | None = None, **fields: Any) -> Course:
    """Make, publish and commit a course."""
    slug = slug or f"course-{next(_numbers)}"
    course = create_course(slug, document or make_document(**fields))
    publish(course)
    db.session.commit()
    return course


def make_path(*courses: Course, slug: str = "", **fields: Any) -> Path:
    """Make and commit a path through these courses."""
    slug = slug or f"path-{next(_numbers)}"
    facts: dict[str, Any] = {
        "title": slug.replace("-", " ").capitalize(),
        "use_case": "Find who knows",
        "business_objective": "Customers are answered the same day",
        "due_days": 30,
    }
    path = put_path(
        PathFacts(slug=slug, courses=tuple(one.slug for one in courses), **facts | fields)
    )
    db.session.commit()
    return path
