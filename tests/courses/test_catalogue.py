"""Drafts, versions and pictures."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image, ImageFile

from courses.catalogue import media, services
from courses.catalogue.document import Card, Document, Lesson, slug_of, to_json
from courses.catalogue.models import Course, CourseVersion, PublishedIsFinal
from courses.exchange.folder import read_zip, write_zip
from courses.exchange.services import export_course, import_course
from lms.db import db
from lms.errors import Conflict, Invalid, TooLarge
from tests.courses.test_course_text import files
from tests.queries import counted

DOCUMENT = Document(
    title="Ask well",
    summary="Questions that get answers.",
    lessons=(
        Lesson("one", "One", 3, (Card("hello", "text", "Hello", {"text": "Good morning."}),)),
    ),
)


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """Return a real picture."""
    made = io.BytesIO()
    Image.new("RGB", size, (154, 91, 19)).save(made, kind)
    return made.getvalue()


def test_publishing_makes_a_version_that_a_later_draft_does_not_touch(app: Flask) -> None:
    course = services.create_course("ask", DOCUMENT)
    first = services.publish(course)
    changed = replace(DOCUMENT, title="Ask better")
    services.save_draft(course, changed, course.draft_revision)
    db.session.commit()
    db.session.expire_all()
    assert course.title == "Ask well"  # what learners see
    assert services.draft_of(course) == changed
    assert db.session.get_one(CourseVersion, first.id).document == to_json(DOCUMENT)
    second = services.publish(course)
    assert (second.number, course.title) == (2, "Ask better")
    assert db.session.get_one(CourseVersion, first.id).document == to_json(DOCUMENT)
    with pytest.raises(Conflict, match="Nothing has changed"):
        services.publish(course)


def test_code_that_would_change_or_remove_a_version_is_stopped(app: Flask) -> None:
    course = services.create_course("ask", DOCUMENT)
    version = services.publish(course)
    db.session.commit()
    version.document = {**version.document, "title": "Another"}
    with pytest.raises(PublishedIsFinal):
        db.session.flush()
    db.session.rollback()
    db.session.delete(services.newest_version(course))
    with pytest.raises(PublishedIsFinal):
        db.session.flush()
    db.session.rollback()
    assert services.newest_version(course).document["title"] == "Ask well"


def test_a_save_over_another_authors_save_is_refused(app: Flask) -> None:
    course = services.create_course("ask", DOCUMENT)
    base = course.draft_revision
    services.save_draft(course, replace(DOCUMENT, title="Hers"), base)
    with pytest.raises(Conflict, match="Somebody else has saved"):
        services.save_draft(course, replace(DOCUMENT, title="His"), base)
    assert services.draft_of(course).title == "Hers"


def test_a_draft_may_have_problems_and_is_not_published_with_them(app: Flask) -> None:
    lesson = replace(
        DOCUMENT.lessons[0],
        cards=(
            Card("ask", "choice", "", {"text": "?", "multiple": False, "options": []}),
            Card("odd", "hologram", "", {}),
        ),
    )
    course = services.create_course("ask", replace(DOCUMENT, lessons=(lesson,)))
    with pytest.raises(services.NotReady) as raised:
        services.publish(course)
    said = [(problem.card, problem.message) for problem in raised.value.problems]
    assert ("ask", "A question has 2 to 12 options.") in said
    assert ("odd", "No card type named “hologram” is installed.") in said
    assert course.published_number == 0


@pytest.mark.parametrize("slug", ["", "Ask", "a b", "authoring", "-a", "a" * 61])
def test_a_course_needs_a_plain_name(app: Flask, slug: str) -> None:
    with pytest.raises(Invalid):
        services.create_course(slug, DOCUMENT)


def test_a_course_goes_out_and_comes_in_as_the_same(app: Flask) -> None:
    given = files(**{"media/post.png": picture()})
    first = import_course("ask", given)
    assert first.version is not None
    out = export_course(first.course)
    assert {name: text for name, text in out.items() if name.endswith(".md")} == {
        name: text for name, text in given.items() if name.endswith(".md")
    }
    again = import_course("ask", read_zip(write_zip(out)))
    assert again.version is None
    assert db.session.query(CourseVersion).count() == 1
    assert export_course(again.course) == out


def test_an_import_does_not_overwrite_a_draft(app: Flask) -> None:
    course = import_course("ask", files(**{"media/post.png": picture()})).course
    services.save_draft(course, DOCUMENT, course.draft_revision)
    with pytest.raises(Conflict, match="has a draft"):
        import_course("ask", files(**{"media/post.png": picture()}))


def test_pictures_are_written_anew_and_kept_once(app: Flask) -> None:
    photo = Image.new("RGB", (3000, 1000), (20, 80, 99))
    exif = photo.getexif()
    exif[0x010E] = "MARKED where it was taken"
    raw = io.BytesIO()
    photo.save(raw, "JPEG", exif=exif, comment=b"MARKED by whom")
    assert b"MARKED" in raw.getvalue()
    row = media.add_picture(raw.getvalue() + b"<script>MARKED</script>")
    kept, content = media.read_picture(row.sha256)
    assert (kept.width, kept.height) == (1600, 533)
    assert b"MARKED" not in content
    assert media.add_picture(content).sha256 == row.sha256
    assert [path.name for path in media.folder().rglob("*.jpg")] == [f"{row.sha256}.jpg"]


def test_what_is_no_picture_is_refused_in_words(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint leaves it
    with pytest.raises(Invalid, match="not a picture"):
        media.add_picture(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")
    with pytest.raises(Invalid, match="not a picture"):
        media.add_picture(picture()[:60])
    with pytest.raises(TooLarge):
        media.add_picture(b"x" * (media.UPLOAD_MAX_BYTES + 1))
    huge = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(huge, "PNG")
    with pytest.raises(TooLarge):
        media.add_picture(huge.getvalue())


def test_a_list_of_courses_does_not_load_their_texts(app: Flask) -> None:
    services.create_course("ask", DOCUMENT)
    db.session.commit()
    db.session.expire_all()
    with counted() as queries:
        assert [course.title for course in db.session.query(Course)] == ["Ask well"]
    assert len(queries) == 1
    assert "draft " not in queries[0].replace("courses_course_draft", "")


def test_the_command_line_imports_and_exports(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "ask-well"
    for name, content in files(**{"media/post.png": picture()}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    run = app.test_cli_runner()
    assert run.invoke(args=["course", "import", str(folder)]).output.startswith("Published: “Ask")
    assert "word for word" in run.invoke(args=["course", "import", str(folder)]).output
    out = tmp_path / "out"
    assert run.invoke(args=["course", "export", "ask-well", str(out)]).exit_code == 0
    assert (out / "01-ask.md").read_bytes() == (folder / "01-ask.md").read_bytes()
    again = run.invoke(args=["course", "export", "ask-well", str(out)])
    assert isinstance(again.exception, Conflict)
    zipped = tmp_path / "copy.zip"
    assert run.invoke(args=["course", "export", "ask-well", str(zipped)]).exit_code == 0
    assert "version 1" in run.invoke(args=["course", "import", str(zipped)]).output
    assert run.invoke(args=["course", "format", str(folder)]).output == "Nothing to change.\n"


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Schichtübergabe ohne Chaos", "schichtubergabe-ohne-chaos"),
        ("Größe zeigen", "grosse-zeigen"),
        ("Écouter, à l’échelle", "ecouter-a-l-echelle"),
        ("المجتمع", "card"),
    ],
)
def test_a_slug_keeps_letters_and_loses_their_accents(title: str, slug: str) -> None:
    assert slug_of(title) == slug
