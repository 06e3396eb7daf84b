"""Checks of JSON values, put together from smaller ones: what `validate` is made of. Pure.

Each check has two faces, made from the same table. `fits` is for the many values that are right:
it says yes, or anything else at all, in as few calls as can be. Only where it did not say yes is
`explain` asked, which alone decides that something is wrong, and says where and why. A `fits` may
therefore be too strict, never too lenient; `tests/xapi/test_checks.py` looks for one that is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xapi.lrs.compiled import Leaf, object_fits
from xapi.lrs.errors import shown

# What a `fits` may raise where a value is of another type than it expects; as good as a no.
NO = (KeyError, TypeError, ValueError, AttributeError)

_After = Callable[[dict[str, Any]], None] | None  # raises Wrong; looks at the object as a whole


class Wrong(Exception):
    """A property is wrong; `steps` lead to it, innermost first: paths cost nothing until needed."""

    def __init__(self, what: str, *steps: str) -> None:
        super().__init__(what)
        self.what = what
        self.steps = list(steps)

    def path(self) -> str:
        """Return where it is: `context.contextActivities.parent[0].id`."""
        return "".join(
            step if step.startswith("[") else f".{shown(step)}" for step in reversed(self.steps)
        ).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Check:
    """fits: true of what is right; may raise one of NO, or Wrong. explain: raises Wrong, or does not.

    leaf: how `fits` is written where it is part of an object's, if that is shorter than a call.
    """

    fits: Callable[[Any], Any]
    explain: Callable[[Any], None]
    leaf: Leaf = field(default_factory=Leaf)

    def __call__(self, value: Any) -> None:
        """Raise Wrong unless the value is right."""
        try:
            if self.fits(value):
                return
        except (*NO, Wrong):
            pass
        self.explain(value)


def of(fits: Callable[[Any], Any], what: str, leaf: Leaf | None = None) -> Check:
    """Return a check for a value that passes a test; `what` says what it must be."""

    def explain(value: Any) -> None:
        try:
            if fits(value):
                return
        except NO:
            pass
        raise Wrong(f"must be {what}")

    return Check(fits, explain, leaf or Leaf())


def typed(kind: type, what: str) -> Check:
    """Return a check for a value of exactly this type."""
    return of(lambda value: type(value) is kind, what, Leaf("type({x}) is {kind}", {"kind": kind}))


def equal(text: str) -> Check:
    """Return a check for this very text."""
    return of(
        lambda value: type(value) is str and value == text,
        f"“{text}”",
        Leaf("{x} == {text}", {"text": text}),
    )


def rule(explain: Callable[[Any], None]) -> Check:
    """Return a check made of a function that raises Wrong."""

    def fits(value: Any) -> bool:
        explain(value)
        return True

    return Check(fits, explain)


def object_of(
    properties: Mapping[str, Check],
    required: tuple[str, ...] = (),
    after: _After = None,
) -> Check:
    """Return a check for an object with these properties and no others."""
    tests = {name: (check.fits, check.leaf) for name, check in properties.items()}
    return Check(object_fits(tests, required, after), _object_explain(properties, required, after))


def _object_explain(
    properties: Mapping[str, Check], required: tuple[str, ...], after: _After
) -> Callable[[Any], None]:
    explanations = {name: check.explain for name, check in properties.items()}

    def explain(value: Any) -> None:
        if type(value) is not dict:
            raise Wrong("must be an object")
        name = ""
        try:
            for name, inner in value.items():
                inner_explain = explanations.get(name)
                if inner_explain is None:
                    raise Wrong("is not a property of this object")
                inner_explain(inner)
        except Wrong as wrong:
            wrong.steps.append(name)
            raise
        for name in required:
            if name not in value:
                raise Wrong("is required", name)
        if after is not None:
            after(value)

    return explain


def array_of(item: Check, at_least: int = 0) -> Check:
    """Return a check for an array of such items."""
    item_fits, item_explain = item.fits, item.explain

    def fits(value: Any) -> bool:
        if type(value) is not list or len(value) < at_least:
            return False
        for inner in value:  # noqa: SIM110 - a generator would take longer than the check
            if not item_fits(inner):
                return False
        return True

    def explain(value: Any) -> None:
        if type(value) is not list:
            raise Wrong("must be an array")
        if len(value) < at_least:
            raise Wrong("must not be empty")
        place = 0
        try:
            for inner in value:
                item_explain(inner)
                place += 1
        except Wrong as wrong:
            wrong.steps.append(f"[{place}]")
            raise

    return Check(fits, explain)


def choice(
    choose: Callable[[Any], Check], usual: Callable[[Any], Callable[[Any], Any]] | None = None
) -> Check:
    """Return a check that is another one, according to the value; `choose` may raise Wrong.

    usual: returns the `fits` of what `choose` would return; may raise one of NO.
    """

    def fits(value: Any) -> Any:
        return choose(value).fits(value)

    def usual_fits(value: Any) -> Any:
        return usual(value)(value)  # type: ignore[misc]

    def explain(value: Any) -> None:
        choose(value).explain(value)

    return Check(fits if usual is None else usual_fits, explain)


def by_kind(kinds: Mapping[str, Check], default: str, choose: Callable[[Any], Check]) -> Check:
    """Return a check that is one of `kinds`, by objectType; `choose` says which it is, and explains."""
    tests = {kind: check.fits for kind, check in kinds.items()}

    def fits(value: Any) -> Any:
        return tests[value.get("objectType", default)](value)

    def explain(value: Any) -> None:
        choose(value).explain(value)

    return Check(fits, explain)
