"""Checks of JSON values, put together from smaller ones: what `validate` is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xapi.lrs.errors import shown

Check = Callable[[Any], None]  # raises Wrong


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


def of(test: Callable[[Any], bool], what: str) -> Check:
    """Return a check for a value that passes a test; `what` says what it must be."""

    def check(value: Any) -> None:
        if not test(value):
            raise Wrong(f"must be {what}")

    return check


def object_of(
    properties: Mapping[str, Check],
    required: tuple[str, ...] = (),
    after: Callable[[dict[str, Any]], None] | None = None,
) -> Check:
    """Return a check for an object with these properties and no others."""
    find = properties.get

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Wrong("must be an object")
        name = ""
        try:
            for name, inner in value.items():
                inner_check = find(name)
                if inner_check is None:
                    raise Wrong("is not a property of this object")
                inner_check(inner)
        except Wrong as wrong:
            wrong.steps.append(name)
            raise
        for name in required:
            if name not in value:
                raise Wrong("is required", name)
        if after is not None:
            after(value)

    return check


def array_of(item: Check, at_least: int = 0) -> Check:
    """Return a check for an array of such items."""

    def check(value: Any) -> None:
        if type(value) is not list:
            raise Wrong("must be an array")
        if len(value) < at_least:
            raise Wrong("must not be empty")
        place = 0
        try:
            for inner in value:
                item(inner)
                place += 1
        except Wrong as wrong:
            wrong.steps.append(f"[{place}]")
            raise

    return check
