"""Values of statements: strings, numbers, IRIs, language maps, extensions, each a check. Pure.

Sources: xAPI 1.0.3 Data 2.2, 4.1, 4.2; IEEE 9274.1.1 section 4.2.
"""

from __future__ import annotations

from typing import Any

from xapi.lrs import types
from xapi.lrs.checks import Wrong, of, rule, typed
from xapi.lrs.compiled import Leaf

# Extensions alone are as deep as their author likes; what is read can be deeper than what orjson
# writes (254 levels), and a statement that cannot be written again is one that cannot be kept.
DEPTH_MOST = 100


def _each_language(value: Any) -> None:
    if type(value) is not dict:
        raise Wrong("must be a language map")
    for tag, text in value.items():
        if tag not in types.KNOWN_LANGUAGES and not types.is_language(tag):
            raise Wrong("is not an RFC 5646 language tag", tag)
        if type(text) is not str:
            raise Wrong("must be a string", tag)


def _each_extension(value: Any) -> None:
    if type(value) is not dict:
        raise Wrong("must be an object")
    for key in value:
        if not types.IRI(key):
            raise Wrong("the key of an extension must be an IRI", key)
    _check_inside(value)


def _check_inside(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_MOST):
        deeper = []
        for one in level:
            for inner in one.values() if type(one) is dict else one:
                kind = type(inner)
                if kind is dict or kind is list:
                    deeper.append(inner)
                elif (kind is int or kind is float) and not types.is_exact_number(inner):
                    raise Wrong("holds a number of more than 64 bits")
        if not deeper:
            return
        level = deeper
    raise Wrong(f"is nested deeper than {DEPTH_MOST} levels")


string = typed(str, "a string")
filled = of(
    lambda value: type(value) is str and value != "",
    "a string that is not empty",
    Leaf("type({x}) is {kind} and {x}", {"kind": str}),
)
boolean = typed(bool, "true or false")
number = of(types.is_exact_number, "a number of at most 64 bits")
uuid = of(types.UUID, "a UUID")
iri = of(
    types.is_iri,
    "an IRI",
    Leaf("{x} in {known} or {is_iri}({x})", {"known": types.KNOWN_IRIS, "is_iri": types.is_iri}),
)
duration = of(types.DURATION, "an ISO 8601 duration")
language = of(types.LANGUAGE, "an RFC 5646 language tag")
language_map = rule(_each_language)
extensions = rule(_each_extension)
