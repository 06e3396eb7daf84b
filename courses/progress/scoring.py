"""What the answers of an attempt come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# So that 7 of 10 passes 0.7 whatever floating point makes of it.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt. `score_scaled` is None without questions; `passed` without a bar."""

    score_scaled: float | None
    passed: bool | None
    right: int
    questions: int

    @property
    def completes(self) -> bool:
        """Whether the course counts as completed."""
        return self.passed is not False


def outcome(
    questions: Sequence[str], answers: Mapping[str, tuple[float, bool]], pass_score: float | None
) -> Outcome:
    """Return the outcome: the mean over all questions, those without an answer counting 0.

    answers: card id to (score_scaled, right).
    """
    if not questions:
        return Outcome(None, None if pass_score is None else True, 0, 0)
    scores = [answers.get(card, (0.0, False)) for card in questions]
    mean = min(1.0, max(0.0, sum(scaled for scaled, _ in scores) / len(questions)))
    passed = None if pass_score is None else mean + TOLERANCE >= pass_score
    return Outcome(mean, passed, sum(right for _, right in scores), len(questions))


def needed(questions: int, pass_score: float) -> int:
    """Return how many wholly right answers pass: the smallest whole number that is enough."""
    return next(
        count for count in range(questions + 1) if count / questions + TOLERANCE >= pass_score
    )


def as_response(chosen: Iterable[str]) -> str:
    """Return chosen options as xAPI writes them (cmi.interaction, choice): joined by `[,]`."""
    return "[,]".join(chosen)
