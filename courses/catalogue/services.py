"""Creating courses, saving drafts, publishing versions."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from courses.catalogue.cards import problems
from courses.catalogue.document import Document, Problem, from_json, is_slug, to_json
from courses.catalogue.media import find_pictures
from courses.catalogue.models import Course, CourseVersion
from lms import audit, clock
from lms.db import db
from lms.errors import Conflict, Invalid, NotFound, Sentence


class NotReady(Invalid):
    """A draft cannot be published; `problems` says what to mend, in reading order."""

    def __init__(self, found: list[Problem]) -> None:
        first, more = found[0].message, len(found) - 1
        super().__init__(
            Sentence(
                "%(first)s There is more to mend, in %(more)d places. The draft was kept.",
                first=first,
                more=more,
            )
            if more
            else Sentence("%(first)s The draft was kept.", first=first)
        )
        self.problems = found


# The addresses below /courses/ that are pages of their own.
RESERVED_SLUGS = frozenset({"authoring", "media", "pack", "paths", "preview", "shell", "state"})


def find_course(slug: str) -> Course | None:
    """Return the course with this slug, or None."""
    return db.session.scalar(select(Course).where(Course.slug == slug))


def get_course(slug: str) -> Course:
    """Return the course with this slug; raises NotFound."""
    found = find_course(slug)
    if found is None:
        raise NotFound("There is no such course here.")
    return found


def create_course(slug: str, document: Document, actor_id: int | None = None) -> Course:
    """Create a course with a first draft; raises Conflict where the slug is taken, or Invalid."""
    if not is_slug(slug) or slug in RESERVED_SLUGS:
        raise Invalid(
            "“%(slug)s” cannot name a course. Use small letters, digits and hyphens.", slug=slug
        )
    if find_course(slug) is not None:
        raise Conflict("A course named “%(slug)s” is here already. Choose another name.", slug=slug)
    course = Course(slug=slug, title=document.title, draft_revision=0)
    db.session.add(course)
    db.session.flush()
    save_draft(course, document, 0, actor_id)
    audit.note("courses.created", f"course/{slug}", actor_id)
    return course


def save_draft(
    course: Course, document: Document, base_revision: int, actor_id: int | None = None
) -> int:
    """Save the draft and return its new revision. A draft may have problems; it is kept as it is.

    base_revision: the revision the author began from. Raises Conflict where somebody else has
    saved since: nothing is overwritten.
    """
    locked = db.session.scalar(
        select(Course.draft_revision).where(Course.id == course.id).with_for_update()
    )
    if locked != base_revision:
        raise Conflict(
            "Somebody else has saved this course since you opened it. Your text is still on your "
            "screen: copy it, open the course again, and put it in."
        )
    course.draft = to_json(document)
    course.draft_revision = base_revision + 1
    course.draft_saved_at = clock.now()
    course.draft_saved_by = actor_id
    if not course.published_number:
        _describe(course, document)
    db.session.flush()
    return course.draft_revision


def draft_of(course: Course) -> Document:
    """Return the draft or, where there is none, the newest published text."""
    if course.draft is not None:
        return from_json(course.draft)
    return from_json(newest_version(course).document)


def newest_version(course: Course) -> CourseVersion:
    """Return the newest published version; raises NotFound where there is none."""
    found = db.session.scalar(
        select(CourseVersion).where(
            CourseVersion.course_id == course.id, CourseVersion.number == course.published_number
        )
    )
    if found is None:
        raise NotFound("This course is not published yet.")
    return found


def publishing_problems(document: Document) -> list[Problem]:
    """Return what keeps a document from being published, lost pictures included."""
    found = problems(document)
    here = find_pictures(document.media.values())
    for name, digest in document.media.items():
        if digest not in here:
            found.append(
                Problem(
                    Sentence("The picture %(name)s is not here any more. Add it again.", name=name)
                )
            )
    return found


def publish(
    course: Course,
    actor_id: int | None = None,
    tidied: Callable[[Document], Document] | None = None,
) -> CourseVersion:
    """Publish the draft as the next version, which never changes again, and return it.

    tidied: what is done to the draft's document before. Learners in mid-course stay on theirs.
    Raises NotReady with what to mend, and Conflict where nothing has changed since the last
    version, or somebody else has saved the draft while it was checked.
    """
    if course.draft is None:
        raise _nothing_to_publish()
    document = from_json(course.draft)
    if tidied is not None:
        document = tidied(document)
    found = publishing_problems(document)
    if found:
        raise NotReady(found)
    return publish_checked(course, document, actor_id)


def _nothing_to_publish() -> Conflict:
    return Conflict("Nothing has changed since the last version, so there is nothing to publish.")


def publish_checked(course: Course, document: Document, actor_id: int | None) -> CourseVersion:
    """Publish a document in place of the draft that it was made of, as `publish` does.

    It has no `publishing_problems`: looking for them takes its time, which nobody waits for.
    """
    checked = course.draft_revision
    db.session.flush()
    locked = (
        select(Course)
        .where(Course.id == course.id)
        .with_for_update(of=Course)
        .execution_options(populate_existing=True)
    )
    db.session.scalars(locked).one()
    if course.draft_revision != checked:
        raise Conflict(
            "Somebody else has saved this course while it was checked, so nothing was published. "
            "Look at it, then publish it."
        )
    if course.draft is None:
        raise _nothing_to_publish()
    version = CourseVersion(
        course_id=course.id,
        number=course.published_number + 1,
        document=to_json(document),
        published_at=clock.now(),
        published_by=actor_id,
    )
    db.session.add(version)
    course.published_number = version.number
    course.draft = None
    _describe(course, document)
    db.session.flush()
    audit.note("courses.published", f"course/{course.slug}", actor_id, version=version.number)
    return version


def discard_draft(course: Course, actor_id: int | None = None) -> None:
    """Throw the draft away and go back to the newest version; raises NotFound where none is."""
    newest_version(course)
    course.draft = None
    course.draft_revision += 1
    audit.note("courses.draft_discarded", f"course/{course.slug}", actor_id)


def put_away(course: Course, actor_id: int | None = None) -> None:
    """Take a course off the shelves: learners do not find it any more; nothing of it is lost."""
    if course.archived_at is None:
        course.archived_at = clock.now()
        audit.note("courses.put_away", f"course/{course.slug}", actor_id)


def bring_back(course: Course, actor_id: int | None = None) -> None:
    """Put a course back where it stood."""
    if course.archived_at is not None:
        course.archived_at = None
        audit.note("courses.brought_back", f"course/{course.slug}", actor_id)


def _describe(course: Course, document: Document) -> None:
    course.title = document.title[:300]
    course.summary = document.summary
    course.language = document.language[:16]
    course.lessons = len(document.lessons)
    course.cards = sum(len(lesson.cards) for lesson in document.lessons)
    course.minutes = sum(lesson.minutes for lesson in document.lessons)
