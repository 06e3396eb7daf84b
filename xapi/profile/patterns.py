"""The order in which statements come, as patterns: data.

Slugs of templates and of patterns are told apart by what they begin with: `templates/`, `patterns/`.
"""

from __future__ import annotations

from dataclasses import dataclass

from xapi.profile.templates import NETWORK


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern: `how` its `elements` come (sequence, alternates, optional, zeroOrMore).

    A primary one is followed by all statements of one registration, or by a statement without.
    """

    slug: str
    label: str
    definition: str
    how: str
    elements: tuple[str, ...]
    primary: bool = False


PATTERNS = (
    Pattern(
        "attempt",
        "An attempt at a course",
        "It begins; questions are answered and lessons completed, in any order (a phone without a "
        "network tells later what was answered earlier); where the course has a pass mark it is "
        "passed or failed; and unless it is failed, the course is completed.",
        "sequence",
        (
            "templates/course-initialized",
            "patterns/steps",
            "patterns/judged-if-asked",
            "patterns/completed-if-so",
        ),
        primary=True,
    ),
    Pattern(
        "steps",
        "Steps",
        "What is done between beginning and end.",
        "zeroOrMore",
        ("patterns/step",),
    ),
    Pattern(
        "step",
        "A step",
        "An answer, a lesson, or how far it is.",
        "alternates",
        (
            "templates/question-answered",
            "templates/lesson-completed",
            "templates/course-progressed",
        ),
    ),
    Pattern(
        "judged-if-asked",
        "Judged, if asked",
        "Only a course with a pass mark is judged.",
        "optional",
        ("patterns/judged",),
    ),
    Pattern(
        "judged",
        "Judged",
        "Passed or failed.",
        "alternates",
        ("templates/course-passed", "templates/course-failed"),
    ),
    Pattern(
        "completed-if-so",
        "Completed, if so",
        "An attempt that failed, or that is not over, completes nothing.",
        "optional",
        ("templates/course-completed",),
    ),
    Pattern(
        "path",
        "A path",
        "One statement, when it is completed; the attempts at its courses have patterns of their "
        "own.",
        "sequence",
        ("templates/path-completed",),
        primary=True,
    ),
    Pattern(
        "certificate",
        "A certificate",
        "One statement, when it is earned. When it lapses, nothing is said.",
        "sequence",
        ("templates/certificate-earned",),
        primary=True,
    ),
    Pattern(
        "act",
        "An act in the network",
        "One statement for an act, without a registration.",
        "alternates",
        tuple(f"templates/{act.slug}" for act in NETWORK),
        primary=True,
    ),
    Pattern(
        "taken-back",
        "An act taken back",
        "One statement, which voids an earlier one.",
        "sequence",
        ("templates/network-voided",),
        primary=True,
    ),
)
