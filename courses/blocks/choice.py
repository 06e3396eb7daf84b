"""The question: options to choose from, with feedback for every one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from courses.blocks.markdown import text_problems
from courses.catalogue.cards import CardTextError, Renderer, Score
from courses.catalogue.document import tidy
from lms.errors import Invalid, Sentence

OPTION = re.compile(r"- \[([ xX])\](?: (.*))?\Z")
FEEDBACK = re.compile(r"(?:  |\t)[ \t]*>(?: (.*)|(.*))\Z")
MULTIPLE = "multiple"
OPTIONS_MIN = 2
OPTIONS_MAX = 12


class ChoiceCard:
    """`{"text", "multiple", "options": [{"text", "right", "feedback"}]}`.

    One right option makes a single choice, two or more a multiple choice; `multiple` may also be
    set where one is right, so that the question does not give away how many are.
    """

    name = "choice"
    label = _l("Question")
    template = "courses/cards/choice.html"

    def recognises(self, body: str) -> bool:
        """A body with a task list is a question."""
        return any(OPTION.match(line) for line in body.split("\n"))

    def parse(self, body: str, flags: frozenset[str]) -> dict[str, Any]:
        """Read the text, then the options, each with the feedback quoted and indented under it."""
        lines = body.split("\n")
        start = next(number for number, line in enumerate(lines) if OPTION.match(line))
        options: list[dict[str, Any]] = []
        for number, line in enumerate(lines[start:], start + 1):
            _read_option_line(number, line, options)
        for option in options:
            line_number = option.pop("line")
            option["text"] = "\n".join(option["text"])
            option["feedback"] = tidy("\n".join(option["feedback"]))
            if not option["feedback"]:
                raise CardTextError(
                    line_number,
                    "This option has no feedback. Write it in the next line, indented and "
                    "quoted: “  > Why this is right, or what happens next.”",
                )
        right = sum(option["right"] for option in options)
        if not right:
            raise CardTextError(start + 1, "No option is right. Mark the right one with - [x].")
        return {
            "text": tidy("\n".join(lines[:start])),
            "multiple": right > 1 or MULTIPLE in flags,
            "options": options,
        }

    def serialise(self, data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Write the text, a blank line, and the options."""
        lines: list[str] = []
        if data["text"]:
            lines += [str(data["text"]), ""]
        for option in data["options"]:
            first, *rest = str(option["text"]).split("\n")
            lines.append(f"- [{'x' if option['right'] else ' '}] {first}")
            lines += [f"  {line}" for line in rest]
            lines += [f"  > {line}".rstrip() for line in str(option["feedback"]).split("\n")]
        right = sum(bool(option["right"]) for option in data["options"])
        return "\n".join(lines), ((MULTIPLE,) if data["multiple"] and right < 2 else ())

    def validate(self, data: Mapping[str, Any], media: frozenset[str]) -> Sequence[str]:
        """Two options or more, one right at least, feedback on every one."""
        text = str(data.get("text", ""))
        options = list(data.get("options", ()))
        found = text_problems(text, media)
        if self.recognises(text):
            found.append(Sentence("Write the options below the question, not into it."))
        if not OPTIONS_MIN <= len(options) <= OPTIONS_MAX:
            found.append(
                Sentence(
                    "A question has %(least)s to %(most)s options.",
                    least=OPTIONS_MIN,
                    most=OPTIONS_MAX,
                )
            )
        right = sum(bool(option["right"]) for option in options)
        if not right:
            found.append(Sentence("Mark at least one option as right."))
        if right > 1 and not data.get("multiple"):
            found.append(
                Sentence("Two options are right: let people choose several, or mark only one.")
            )
        for number, option in enumerate(options, 1):
            found += [
                Sentence("Option %(number)d: %(said)s", number=number, said=said)
                for said in _option_problems(option, media)
            ]
        return found

    def asks(self, data: Mapping[str, Any]) -> bool:
        """Every question waits for an answer."""
        return True

    def score(self, data: Mapping[str, Any], response: Sequence[str]) -> Score:
        """Judge the chosen options, given as their numbers from 0.

        Single choice: 1 or 0. Multiple choice: (right ones chosen - wrong ones chosen) divided by
        the number of right ones, never below 0; wholly right only where exactly the right ones
        are chosen. Choosing everything therefore gains nothing.
        """
        options = data["options"]
        chosen = set(response)
        known = {str(number) for number in range(len(options))}
        if not chosen:
            raise Invalid("Choose an answer first.")
        if not chosen <= known or (len(chosen) > 1 and not data["multiple"]):
            raise Invalid("That answer does not belong to this question. Open the card again.")
        right = {str(number) for number, option in enumerate(options) if option["right"]}
        hits, misses = len(chosen & right), len(chosen - right)
        return Score(max(0.0, (hits - misses) / len(right)), chosen == right)

    def present(self, data: Mapping[str, Any], render: Renderer) -> Mapping[str, Any]:
        """Show the text and the options; the feedback is shown after the answer."""
        return {
            "text": render(str(data["text"])),
            "multiple": data["multiple"],
            "options": [
                {
                    "value": str(number),
                    "text": inline(render(str(option["text"]))),
                    "right": option["right"],
                    "feedback": render(str(option["feedback"])),
                }
                for number, option in enumerate(data["options"])
            ],
        }

    def live(self, data: Mapping[str, Any], person_id: int) -> Mapping[str, Any]:
        """Nothing differs between people."""
        return {}


def inline(html: str) -> str:
    """Return a lone paragraph without its paragraph, for the inside of a label."""
    stripped = html.strip()
    if stripped.count("<p>") == 1 and stripped.startswith("<p>") and stripped.endswith("</p>"):
        return stripped[3:-4]
    return stripped


def _read_option_line(number: int, line: str, options: list[dict[str, Any]]) -> None:
    opened = OPTION.match(line)
    if opened:
        text = (opened[2] or "").strip()
        if not text:
            raise CardTextError(number, "This option has no text.")
        options.append({"text": [text], "right": opened[1] != " ", "feedback": [], "line": number})
        return
    if not line.strip():
        return
    option = options[-1]
    quoted = FEEDBACK.match(line)
    if quoted:
        option["feedback"].append((quoted[1] if quoted[1] is not None else quoted[2]).rstrip())
    elif line.startswith(("  ", "\t")) and not option["feedback"]:
        option["text"].append(line.strip())
    elif line.startswith(">"):
        raise CardTextError(number, "Indent the feedback by two spaces: “  > …”.")
    else:
        raise CardTextError(
            number, "Text after the options: move it above them, or make it feedback: “  > …”."
        )


def _option_problems(option: Mapping[str, Any], media: frozenset[str]) -> list[str]:
    text, feedback = str(option.get("text", "")), str(option.get("feedback", ""))
    found: list[str] = []
    lines = text.split("\n")
    if not text.strip():
        found.append(Sentence("write what can be chosen."))
    elif any(not line or line != line.strip() or line.startswith(">") for line in lines):
        found.append(Sentence("write it without blank lines, indents and quotation marks (>)."))
    if not feedback.strip():
        found.append(Sentence("write feedback: why it is right, or what would happen."))
    elif any(line != line.rstrip() for line in feedback.split("\n")):
        found.append(Sentence("take away the spaces at the ends of lines in the feedback."))
    return found + text_problems(text, media) + text_problems(feedback, media)


choice_card = ChoiceCard()
