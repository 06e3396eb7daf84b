"""Small numbers as words, large ones in figures, and sentences that count.

Where the sentence for one says "one", the sentence for two says "two": `counted`. Figures stand
where they are compared, in tables and short lines ("2 lessons, 4 minutes"). Arabic writes figures
everywhere: its words for numbers change with the gender and case of what is counted.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import format_number, ngettext
from flask_babel import gettext as _


def count_word(number: int) -> str:
    """Return 2 to 12 as a word with a capital ("Three"), any other number in figures."""
    words = (_("Two"), _("Three"), _("Four"), _("Five"), _("Six"), _("Seven"), _("Eight"),
             _("Nine"), _("Ten"), _("Eleven"), _("Twelve"))  # fmt: skip
    return str(words[number - 2] if 2 <= number <= len(words) + 1 else format_number(number))


def in_words(number: int) -> str:
    """Return 2 to 12 as a word for the middle of a sentence ("three"), others in figures."""
    words = (_("two"), _("three"), _("four"), _("five"), _("six"), _("seven"), _("eight"),
             _("nine"), _("ten"), _("eleven"), _("twelve"))  # fmt: skip
    return str(words[number - 2] if 2 <= number <= len(words) + 1 else format_number(number))


def counted(singular: str, plural: str, number: int, **more: object) -> str:
    """Return the whole sentence that fits a number: `%(count)s` is the number in words.

    It begins with a capital, whether it opens with the number ("Two paths are open for you") or,
    in another language, with something else.
    """
    said = str(ngettext(singular, plural, number, count=in_words(number), **more))
    return said[:1].upper() + said[1:]


def init_filters(app: Flask) -> None:
    """Give templates `counted(...)` and `|in_words`."""
    app.jinja_env.globals["counted"] = counted
    app.jinja_env.filters["in_words"] = in_words
