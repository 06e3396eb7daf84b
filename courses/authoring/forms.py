"""What an author fills in, apart from the insides of cards (`courses.authoring.card_forms`)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from courses.catalogue.document import DEFAULT_MINUTES, MINUTES_MAX, tidy
from lms.forms import Form

TITLE_MAX_CHARS = 200
SUMMARY_MAX_CHARS = 300
DESCRIPTION_MAX_CHARS = 4000
ALTERNATIVE_MAX_CHARS = 400


def one_line(text: str | None) -> str:
    """Return text on one line, as titles are kept."""
    return " ".join((text or "").split())


class CourseForm(Form):
    """A new course: what it is called and what it is for."""

    title = StringField(
        _l("Title"),
        filters=[one_line],
        validators=[
            InputRequired(_l("Give the course a title.")),
            Length(max=TITLE_MAX_CHARS, message=_l("A title has 200 characters at most.")),
        ],
    )
    summary = StringField(
        _l("What is it for, in one sentence?"),
        description=_l("Learners read it before they begin. “Four habits that bring you answers.”"),
        filters=[one_line],
        validators=[Length(max=SUMMARY_MAX_CHARS, message=_l("Keep it to 300 characters."))],
    )


class AboutForm(CourseForm):
    """What is said of the course as a whole. `base` says what the author was shown."""

    base = HiddenField()
    description = TextAreaField(
        _l("Description"),
        description=_l("A short paragraph or two for the course's first page."),
        filters=[lambda text: tidy(text or "")],
        validators=[Length(max=DESCRIPTION_MAX_CHARS, message=_l("Keep it to 4,000 characters."))],
    )
    language = StringField(
        _l("Language of the course"),
        description=_l("The language's code: en, de, es, fr, ar."),
        filters=[one_line],
        validators=[
            InputRequired(_l("Say which language the course is written in, such as en.")),
            Regexp(
                r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z",
                message=_l("Write the language's code, such as en or de."),
            ),
        ],
    )
    pass_score = SelectField(
        _l("When has a learner passed?"),
        choices=[
            SelectChoice("", _l("Whoever finishes has passed")),
            SelectChoice("0.5", _l("With half of the answers right")),
            SelectChoice("0.6", _l("With 60 percent right")),
            SelectChoice("0.7", _l("With 70 percent right")),
            SelectChoice("0.8", _l("With 80 percent right")),
            SelectChoice("0.9", _l("With 90 percent right")),
            SelectChoice("1.0", _l("With every answer right")),
        ],
    )

    def keep_score(self, score: float | None) -> None:
        """Offer a score that came with an import and is not among the choices."""
        value = "" if score is None else str(score)
        if value not in {choice.value for choice in self.pass_score.choices}:
            self.pass_score.choices = [*self.pass_score.choices, SelectChoice(value, value)]

    def values(self) -> dict[str, Any]:
        """Return the fields of the document that this form writes."""
        return {
            "title": self.title.data,
            "summary": self.summary.data,
            "description": self.description.data,
            "language": self.language.data,
            "pass_score": float(self.pass_score.data) if self.pass_score.data else None,
        }


class LessonForm(Form):
    """A lesson's title and length."""

    base = HiddenField()
    title = StringField(
        _l("Title"),
        filters=[one_line],
        validators=[
            InputRequired(_l("Give the lesson a title.")),
            Length(max=TITLE_MAX_CHARS, message=_l("A title has 200 characters at most.")),
        ],
    )
    minutes = IntegerField(
        _l("Minutes it takes"),
        default=DEFAULT_MINUTES,
        validators=[
            InputRequired(_l("Write a whole number of minutes, such as 3.")),
            NumberRange(1, MINUTES_MAX, _l("A lesson takes 1 to 60 minutes.")),
        ],
    )


class PictureForm(Form):
    """A picture and what it shows, in words."""

    picture = FileField(
        _l("Picture"),
        description=_l("PNG, JPEG, GIF or WebP, up to 10 MB."),
        validators=[FileRequired(_l("Choose a picture first."))],
    )
    alternative = StringField(
        _l("What does it show?"),
        description=_l("One sentence for those who cannot see it."),
        filters=[one_line],
        validators=[
            InputRequired(_l("Say in a sentence what the picture shows.")),
            Length(max=ALTERNATIVE_MAX_CHARS, message=_l("Keep it to 400 characters.")),
        ],
    )


class PlainForm(Form):
    """A button, and the proof that our own page sent it."""
