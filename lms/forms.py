"""The form that all forms here are: WTForms', with its own sentences said in our words."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm

from lms.errors import DomainError

# What WTForms says (version 3) and what we say. Fields that can say it better do so themselves.
SENTENCES = {
    "This field is required.": _l("Fill this in, please."),
    "Not a valid integer value.": _l("Write a whole number, like 12."),
    "Not a valid date value.": _l("Write the day as year, month and day, like 2026-11-30."),
    "Not a valid choice.": _l("Choose one from the list."),
    "Invalid input.": _l("That cannot be read. Look at it again."),
    "Field cannot be longer than %(max)d character.": _l(
        "That is too long: %(max)d characters at most."
    ),
    "Field cannot be longer than %(max)d characters.": _l(
        "That is too long: %(max)d characters at most."
    ),
}


class OurWords:
    """Stands where WTForms expects a catalogue of translations."""

    def gettext(self, text: str) -> str:
        """Return our sentence for one of WTForms', or the same text."""
        return str(SENTENCES.get(text, text))

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return our sentence for one of WTForms' that counts."""
        return self.gettext(singular if number == 1 else plural)


class Form(FlaskForm):  # type: ignore[misc]
    """A form with a token against forgery."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Where WTForms asks for translations."""

        def get_translations(self, form: Any) -> OurWords:
            """Return our words."""
            return OurWords()

    def blame(self, error: DomainError) -> None:
        """Show what a service refused: at the field that it is about, else at the first."""
        field = self._fields.get(error.field) or next(iter(self))
        field.errors = [error.message]
