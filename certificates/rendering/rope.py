"""The rope around a certificate, as SVG: two strands laid around each other, a knot for each thing
done. Flat fills only: gradients in SVG stay invisible in some PDF viewers."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from functools import lru_cache

PAGE_MM = (297.0, 210.0)
INSET_MM = 11.0
CORNER_MM = 9.0
STRAND_MM = 0.5
SWING_MM = 0.85
LAY_MM = 7.0  # length of one full turn
KNOT_MM = 2.3
ROPE = "#9A5B13"
PAPER = "#FAF7F2"

Point = tuple[float, float]


def knot_places(knots: int) -> list[float]:
    """Return where the knots lie along the lower edge, in millimetres from the left."""
    width = PAGE_MM[0] - 2 * (INSET_MM + CORNER_MM)
    return [INSET_MM + CORNER_MM + width * (number + 0.5) / knots for number in range(knots)]


@lru_cache(maxsize=32)
def border_data_uri(knots: int) -> str:
    """Return the whole border with so many knots, as an address that holds the picture itself."""
    svg = border_svg(knots)
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def border_svg(knots: int) -> str:
    """Return the border as SVG, the size of the page."""
    width, height = PAGE_MM
    strands = "".join(
        f'<path d="{_strand(phase)}" fill="none" stroke="{ROPE}" stroke-width="{STRAND_MM}"/>'
        for phase in (0, 1)
    )
    lower = height - INSET_MM
    tied = "".join(
        f'<circle cx="{x:.2f}" cy="{lower}" r="{KNOT_MM + 0.9}" fill="{PAPER}"/>'
        f'<circle cx="{x:.2f}" cy="{lower}" r="{KNOT_MM}" fill="{ROPE}"/>'
        for x in knot_places(knots)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}">{strands}{tied}</svg>'
    )


def _strand(phase: int) -> str:
    """One strand: a wave along the border, each half of a turn one parabola.

    On a straight side a parabola mirrors the one before it, and SVG's `T` says that with two
    numbers: WeasyPrint reads this path again for every certificate, and reads numbers slowly.
    """
    length = _length()
    halves = round(length / LAY_MM) * 2
    (x, y), _ = _at(0.0)
    parts = [f"M{x:.2f} {y:.2f}"]
    mirrored_side: int | None = None
    for half in range(halves):
        start, end = length * half / halves, length * (half + 1) / halves
        (cx, cy), (nx, ny) = _at((start + end) / 2)
        (ex, ey), _ = _at(end % length)
        side = _side_of(start) if _side_of(start) == _side_of(end - 1e-6) else None
        if side is not None and side == mirrored_side:
            parts.append(f"T{ex:.2f} {ey:.2f}")
        else:
            # The top of a parabola lies half-way to its control point.
            out = 2 * SWING_MM * (1 if (half + phase) % 2 else -1)
            parts.append(f"Q{cx + nx * out:.2f} {cy + ny * out:.2f} {ex:.2f} {ey:.2f}")
        mirrored_side = side
    return "".join(parts)


def _side_of(along: float) -> int | None:
    """Return the number of the straight side on which a place lies, None in a corner."""
    across, down, corner = _sides()
    for number, side in enumerate((across, down, across, down)):
        if along <= side:
            return number
        along -= side
        if along <= corner:
            return None
        along -= corner
    return 0


def _sides() -> tuple[float, float, float]:
    across = PAGE_MM[0] - 2 * INSET_MM - 2 * CORNER_MM
    down = PAGE_MM[1] - 2 * INSET_MM - 2 * CORNER_MM
    return across, down, math.pi / 2 * CORNER_MM


def _length() -> float:
    across, down, corner = _sides()
    return 2 * across + 2 * down + 4 * corner


def _at(along: float) -> tuple[Point, Point]:
    """Return point and outward normal at a distance along the border, clockwise from top left."""
    across, down, corner = _sides()
    left, top = INSET_MM, INSET_MM
    right, lower = PAGE_MM[0] - INSET_MM, PAGE_MM[1] - INSET_MM
    straight: tuple[tuple[float, Callable[[float], tuple[Point, Point]]], ...] = (
        (across, lambda s: ((left + CORNER_MM + s, top), (0.0, -1.0))),
        (down, lambda s: ((right, top + CORNER_MM + s), (1.0, 0.0))),
        (across, lambda s: ((right - CORNER_MM - s, lower), (0.0, 1.0))),
        (down, lambda s: ((left, lower - CORNER_MM - s), (-1.0, 0.0))),
    )
    centres = (
        (right - CORNER_MM, top + CORNER_MM),
        (right - CORNER_MM, lower - CORNER_MM),
        (left + CORNER_MM, lower - CORNER_MM),
        (left + CORNER_MM, top + CORNER_MM),
    )
    for number, (side, place) in enumerate(straight):
        if along < side:
            return place(along)
        along -= side
        if along < corner:
            angle = -math.pi / 2 + number * math.pi / 2 + along / CORNER_MM
            normal = (math.cos(angle), math.sin(angle))
            centre = centres[number]
            return (
                centre[0] + CORNER_MM * normal[0],
                centre[1] + CORNER_MM * normal[1],
            ), normal
        along -= corner
    return straight[0][1](0.0)
