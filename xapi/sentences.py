"""Statements in words, for administrators: verb, object and result of what was recorded. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    name = _pick(target.get("definition", {}).get("name"), language)
    return Sentence(
        verb=_pick(verb.get("display"), language) or verb["id"].rstrip("/").rpartition("/")[2],
        thing=name or target.get("id", "") or target.get("objectType", ""),
        score_scaled=result.get("score", {}).get("scaled"),
        success=result.get("success"),
    )


def _pick(texts: Mapping[str, str] | None, language: str) -> str:
    if not texts:
        return ""
    return texts.get(language) or next(iter(texts.values()))
