"""The quick face of a check of an object, written as one Python function and compiled once.

A loop over properties that looks up a test and calls it spends most of its time on looking up and
calling. Here each property's test stands in the function itself, as `dataclasses` and `attrs` write
theirs. Nothing of what is compiled comes from outside: names are those of the tables in
`xapi.lrs.validate`, written as literals, and values are handed over, not written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Test = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """An expression that is true of a value that is right; the empty one stands for a call.

    {x} is the value, other names in braces are given by `values`. It may raise what a test may
    raise (`xapi.lrs.checks.NO`).
    """

    expression: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def object_fits(
    properties: Mapping[str, tuple[Test, Leaf]],
    required: tuple[str, ...],
    after: Callable[[dict[str, Any]], None] | None,
) -> Test:
    """Return a test that is true of a dict with these properties, each right, and no others.

    after: called with a dict that is right so far; raises where it is not, see `checks.object_of`.
    """
    names: dict[str, Any] = {}
    lines = ["def fits(value):", " if type(value) is not dict: return False", " left = len(value)"]
    for number, (name, (test, leaf)) in enumerate(properties.items()):
        expression = leaf.expression or "{test}({x})"
        handed = leaf.values if leaf.expression else {"test": test}
        words = {word: f"{word}_{number}" for word in handed}
        names |= {words[word]: value for word, value in handed.items()}
        lines += [
            f" if {name!r} in value:",
            f"  x = value[{name!r}]",
            f"  if not ({expression.format(x='x', **words)}): return False",
            "  left -= 1",
        ]
        if name in required:
            lines.append(" else: return False")
    lines.append(" if left: return False")
    if after is not None:
        names["after"] = after
        lines.append(" after(value)")
    lines.append(" return True")
    exec("\n".join(lines), names)  # noqa: S102 - of our own tables alone, see above
    found: Test = names["fits"]
    return found
