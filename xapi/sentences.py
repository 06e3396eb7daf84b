"""Statements in words, for administrators: who did what, where, and how it went.

Verbs that we know have a sentence in every language of ours; any other is said with the display
that its statement gives. Whatever others wrote passes `xapi.shown`, is escaped, and stands in
`<bdi>`, so that no name can run, hide, or turn the sentence around.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from xapi import vocabulary
from xapi.cast import Cast, Named, place_of
from xapi.shown import IDENTIFIER_MOST, pick, shown

# Each verb: how it is called in a list, and the sentence it makes.
VERBS: Mapping[str, tuple[Any, Any]] = {
    vocabulary.REGISTERED.iri: (_l("registered"), _l("%(who)s registered for “%(thing)s”")),
    vocabulary.LAUNCHED.iri: (_l("opened"), _l("%(who)s opened “%(thing)s”")),
    vocabulary.INITIALIZED.iri: (_l("began"), _l("%(who)s began “%(thing)s”")),
    vocabulary.EXPERIENCED.iri: (_l("experienced"), _l("%(who)s experienced “%(thing)s”")),
    vocabulary.PROGRESSED.iri: (_l("went on"), _l("%(who)s went on with “%(thing)s”")),
    vocabulary.ATTEMPTED.iri: (_l("attempted"), _l("%(who)s attempted “%(thing)s”")),
    vocabulary.ANSWERED.iri: (_l("answered"), _l("%(who)s answered “%(thing)s”")),
    vocabulary.PASSED.iri: (_l("passed"), _l("%(who)s passed “%(thing)s”")),
    vocabulary.FAILED.iri: (_l("did not pass"), _l("%(who)s did not pass “%(thing)s”")),
    vocabulary.COMPLETED.iri: (_l("completed"), _l("%(who)s completed “%(thing)s”")),
    vocabulary.TERMINATED.iri: (_l("left"), _l("%(who)s left “%(thing)s”")),
    vocabulary.SATISFIED.iri: (_l("satisfied"), _l("%(who)s satisfied “%(thing)s”")),
    vocabulary.EARNED.iri: (_l("earned"), _l("%(who)s earned “%(thing)s”")),
    vocabulary.POSTED.iri: (_l("posted"), _l("%(who)s posted “%(thing)s”")),
    vocabulary.REPLIED.iri: (_l("replied"), _l("%(who)s replied to “%(thing)s”")),
    vocabulary.COMMENTED.iri: (_l("commented"), _l("%(who)s commented on “%(thing)s”")),
    vocabulary.REACTED.iri: (_l("reacted"), _l("%(who)s reacted to “%(thing)s”")),
    vocabulary.JOINED.iri: (_l("joined"), _l("%(who)s joined “%(thing)s”")),
    vocabulary.FOLLOWED.iri: (_l("followed"), _l("%(who)s followed “%(thing)s”")),
    vocabulary.MENTIONED.iri: (_l("mentioned"), _l("%(who)s mentioned “%(thing)s”")),
    vocabulary.SHARED.iri: (_l("shared"), _l("%(who)s shared “%(thing)s”")),
    vocabulary.VIEWED.iri: (_l("viewed"), _l("%(who)s viewed “%(thing)s”")),
    vocabulary.VOIDED.iri: (_l("voided"), _l("%(who)s voided “%(thing)s”")),
}
_QUESTIONS = (vocabulary.QUESTION, vocabulary.INTERACTION, vocabulary.ASSESSMENT)
_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,8}")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a statement says, without who: "answered", "Whom to ask", a scaled score or None."""

    verb: str
    thing: str
    score_scaled: float | None
    success: bool | None


def read_sentence(statement: Mapping[str, Any], language: str = "en") -> Sentence:
    """Return a statement's verb and object in words, as far as it gives any."""
    verb, target = statement["verb"], statement["object"]
    result = statement.get("result", {})
    name = pick(target.get("definition", {}).get("name"), language)[0]
    return Sentence(
        verb=shown(pick(verb.get("display"), language)[0] or _last_part(verb["id"])),
        thing=shown(name or target.get("id", "") or target.get("objectType", "")),
        score_scaled=result.get("score", {}).get("scaled"),
        success=result.get("success"),
    )


def reader_language() -> str:
    """Return the language tag of whoever reads."""
    return str(get_locale() or "en").replace("_", "-")


def verb_label(iri: str, display: Mapping[str, str] | None) -> str:
    """Return how a verb is called in the reader's language, as far as anybody has said."""
    known = VERBS.get(iri)
    if known is not None:
        return str(known[0])
    return shown(pick(display, reader_language())[0] or _last_part(iri))


def activity_label(iri: str, definition: Mapping[str, Any] | None) -> str:
    """Return how an activity is called in the reader's language, else its IRI."""
    return shown(pick((definition or {}).get("name"), reader_language())[0] or iri)


class Teller:
    """Says statements in sentences of HTML; `targets`: the statements that these refer to, by id."""

    def __init__(self, cast: Cast, targets: Mapping[str, Mapping[str, Any]]) -> None:
        self.cast, self.targets = cast, targets

    def tell(self, statement: Mapping[str, Any], links: bool = True) -> Markup:
        """Return the sentence; `links`: the person leads to their statements, the thing to its own."""
        who = self._who(self.cast.name(statement["actor"]), links)
        thing = self._thing(statement)
        if links:
            address = url_for("xapi.statement", statement_id=statement["id"])
            thing = Markup('<a href="{}">{}</a>').format(address, thing)
        verb = statement["verb"]
        known = VERBS.get(verb["id"])
        if known is not None:
            sentence = _fill(str(known[1]), who=who, thing=thing)
        else:
            sentence = _fill(
                _("%(who)s %(verb)s “%(thing)s”"), who=who, verb=_verb(verb), thing=thing
            )
        place = place_of(statement)
        if place is None:
            return sentence
        name = self._activity(place)
        return _fill(_("%(sentence)s in “%(place)s”"), sentence=sentence, place=name)

    def results(self, statement: Mapping[str, Any]) -> list[str]:
        """Return how it went, a few words each."""
        result = statement.get("result") or {}
        verb, found = statement["verb"]["id"], []
        kind = (statement["object"].get("definition") or {}).get("type")
        success = result.get("success")
        if success is not None and verb not in (vocabulary.PASSED.iri, vocabulary.FAILED.iri):
            asked = verb == vocabulary.ANSWERED.iri or kind in _QUESTIONS
            words = (_("right"), _("not right")) if asked else (_("successful"), _("unsuccessful"))
            found.append(words[0] if success else words[1])
        score = _score(result.get("score") or {})
        if score and not (success is not None and verb == vocabulary.ANSWERED.iri):
            found.append(score)
        if result.get("completion") is True and verb != vocabulary.COMPLETED.iri:
            found.append(_("completed"))
        spent = _spent(result.get("duration"))
        return [*found, spent] if spent else found

    def _who(self, named: Named, links: bool) -> Markup:
        name = Markup("<b><bdi>{}</bdi></b>").format(named.name)
        if links and named.uid:
            address = url_for("xapi.statements_of_person", person_uid=named.uid)
            name = Markup('<a href="{}">{}</a>').format(address, name)
        elif links and named.key:
            address = url_for("xapi.statements_of_agent", agent_key=named.key)
            name = Markup('<a href="{}">{}</a>').format(address, name)
        if named.identifier:
            name += Markup(' <small class="muted"><bdi>{}</bdi></small>').format(named.identifier)
        return name

    def _thing(self, statement: Mapping[str, Any]) -> Markup:
        target = statement["object"]
        kind = target.get("objectType", "Activity")
        if kind in ("Agent", "Group"):
            return Markup("<bdi>{}</bdi>").format(self.cast.name(target).name)
        if kind == "SubStatement":
            return self.tell(target, links=False)
        if kind == "StatementRef":
            referred = self.targets.get(str(target["id"]).lower())
            if referred is None or referred["object"].get("objectType") == "StatementRef":
                return Markup("<bdi>{}</bdi>").format(target["id"])
            return self.tell(referred, links=False)
        return self._activity(target)

    def _activity(self, activity: Mapping[str, Any]) -> Markup:
        name, tag = pick(self.cast.definition(activity).get("name"), reader_language())
        if not name:
            return Markup("<bdi>{}</bdi>").format(shown(activity["id"], IDENTIFIER_MOST))
        return _in_language(shown(name), tag)


def _verb(verb: Mapping[str, Any]) -> Markup:
    words, tag = pick(verb.get("display"), reader_language())
    if not words:
        return Markup("<bdi>{}</bdi>").format(shown(_last_part(verb["id"])))
    return _in_language(shown(words), tag)


def _in_language(words: str, tag: str) -> Markup:
    """Return words in <bdi>, with their language where it is another than the reader's."""
    other = tag.partition("-")[0] != reader_language().partition("-")[0].lower()
    if other and _TAG.fullmatch(tag):
        return Markup('<bdi lang="{}">{}</bdi>').format(tag, words)
    return Markup("<bdi>{}</bdi>").format(words)


def _fill(pattern: str, **parts: Markup) -> Markup:
    return escape(pattern) % parts


def _last_part(iri: str) -> str:
    return iri.rstrip("/").replace("#", "/").rpartition("/")[2] or iri


def _score(score: Mapping[str, Any]) -> str:
    if score.get("scaled") is not None:
        return str(format_percent(score["scaled"], locale=get_locale() or "en"))
    if score.get("raw") is None:
        return ""
    raw, most = _number(score["raw"]), score.get("max")
    return raw if most is None else str(_("%(raw)s of %(most)s", raw=raw, most=_number(most)))


def _number(value: float) -> str:
    if abs(value) >= 10**12:  # three hundred digits are a number too
        return f"{value:.3g}"
    return str(format_decimal(value, locale=get_locale() or "en"))


def _spent(duration: Any) -> str:
    """Return an ISO 8601 duration in words; years and months have no length, and are left out."""
    found = _DURATION.match(str(duration or ""))
    if found is None or not any(found.groups()):
        return ""
    weeks, days, hours, minutes, seconds = (float((one or "0")[:12]) for one in found.groups())
    total = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    if total >= 10**10:
        return ""
    return str(format_timedelta(round(total), threshold=1.2, locale=get_locale() or "en"))
