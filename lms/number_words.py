"""Small numbers as words, where a sentence opens with them."""

from __future__ import annotations

from flask_babel import format_number
from flask_babel import gettext as _


def count_word(number: int) -> str:
    """Return 2 to 12 as a word with a capital ("Three"), any other number in figures."""
    words = (_("Two"), _("Three"), _("Four"), _("Five"), _("Six"), _("Seven"), _("Eight"),
             _("Nine"), _("Ten"), _("Eleven"), _("Twelve"))  # fmt: skip
    return str(words[number - 2] if 2 <= number <= len(words) + 1 else format_number(number))
