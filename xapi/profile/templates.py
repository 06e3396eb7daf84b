"""The statements that the suite sends, as statement templates. Data, in words of the vocabulary.

Whoever changes a statement changes this, and publishes a new version of the profile
(`tests/xapi/profile/publish.py`); what was published is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xapi import vocabulary as v


@dataclass(frozen=True, slots=True)
class Rule:
    """What must be true at a place of a statement; `note` says why (scopeNote)."""

    location: str
    presence: str | None = None
    any: tuple[Any, ...] = ()
    all: tuple[Any, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of statement.

    slug: the end of its id, given to nothing else ever. object_type, parent_types, grouping_types:
    activity types that make it this kind. refers_to: slugs of the kinds one of which its object,
    a StatementRef, tells of.
    """

    slug: str
    label: str
    definition: str
    verb: v.VerbTerm
    object_type: str | None = None
    parent_types: tuple[str, ...] = ()
    grouping_types: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


# What holds for every one of them.
ALWAYS = (
    Rule("$.actor.account.homePage", "included", note="The installation."),
    Rule("$.actor.account.name", "included", note="Who it is there, as an opaque id."),
    Rule(
        "$.actor['name','mbox','mbox_sha1sum','openid']",
        "excluded",
        note="No name and no address of anybody, plain or as a digest.",
    ),
    Rule("$.timestamp", "included", note="When it happened, in UTC."),
    Rule(
        "$.context.contextActivities.category[*].id",
        "included",
        any=(v.ROPES_VERSION_IRI,),
        note="The version of this profile.",
    ),
)

_OF_AN_ATTEMPT = Rule(
    "$.context.registration", "included", note="The attempt: the same in all its statements."
)
_SCORE = "$.result.score.scaled"

LEARNING = (
    Template(
        "course-initialized",
        "Course begun",
        "Somebody begins an attempt at a course. The version of the course is part of its id.",
        v.INITIALIZED,
        v.COURSE,
        rules=(_OF_AN_ATTEMPT, Rule("$.result", "excluded")),
    ),
    Template(
        "question-answered",
        "Question answered",
        "Somebody answers a question of a course, in a lesson of it; the first answer stands.",
        v.ANSWERED,
        v.QUESTION,
        parent_types=(v.LESSON,),
        grouping_types=(v.COURSE,),
        rules=(
            _OF_AN_ATTEMPT,
            Rule(
                "$.result.response",
                "included",
                note="Which options, by number from 0, with [,] between them.",
            ),
            Rule("$.result.success", "included", note="Whether it is wholly right."),
            Rule(_SCORE, "included", note="What it is worth, 0 to 1."),
        ),
    ),
    Template(
        "lesson-completed",
        "Lesson completed",
        "Somebody has left the last card of a lesson behind.",
        v.COMPLETED,
        v.LESSON,
        parent_types=(v.COURSE,),
        rules=(_OF_AN_ATTEMPT, Rule("$.result.completion", "included", all=(True,))),
    ),
    Template(
        "course-progressed",
        "Course progressed",
        "How much of a course is done, told after each lesson.",
        v.PROGRESSED,
        v.COURSE,
        rules=(
            _OF_AN_ATTEMPT,
            Rule(
                f"$.result.extensions['{v.PROGRESS}']",
                "included",
                note="Percent, a whole number from 0 to 100.",
            ),
        ),
    ),
    Template(
        "course-passed",
        "Course passed",
        "An attempt at a course with a pass mark ends with enough right.",
        v.PASSED,
        v.COURSE,
        rules=(
            _OF_AN_ATTEMPT,
            Rule("$.result.success", "included", all=(True,)),
            Rule(_SCORE, "recommended", note="The mean of all questions, where there are any."),
        ),
    ),
    Template(
        "course-failed",
        "Course failed",
        "An attempt at a course with a pass mark ends with too little right; the next one asks "
        "the questions alone.",
        v.FAILED,
        v.COURSE,
        rules=(
            _OF_AN_ATTEMPT,
            Rule("$.result.success", "included", all=(False,)),
            Rule(_SCORE, "included", note="The mean of all questions."),
        ),
    ),
    Template(
        "course-completed",
        "Course completed",
        "An attempt at a course ends, and the course counts as done.",
        v.COMPLETED,
        v.COURSE,
        rules=(
            _OF_AN_ATTEMPT,
            Rule("$.result.completion", "included", all=(True,)),
            Rule(_SCORE, "recommended", note="The mean of all questions, where there are any."),
        ),
    ),
    Template(
        "path-completed",
        "Path completed",
        "Somebody has completed the last course that a path still asked for.",
        v.COMPLETED,
        v.PATH,
        rules=(Rule("$.result.completion", "included", all=(True,)),),
    ),
    Template(
        "certificate-earned",
        "Certificate earned",
        "Somebody has met every condition of a certificate. The version of the certificate's rule "
        "is part of its id.",
        v.EARNED,
        v.CERTIFICATE,
        rules=(
            Rule(
                f"$.context.extensions['{v.RULE_DIGEST}']",
                "included",
                note="Proof of what was asked for, without telling it.",
            ),
            Rule(
                f"$.context.extensions['{v.EVIDENCE_DIGEST}']",
                "included",
                note="Proof of what was there, without telling it.",
            ),
            Rule("$.result", "excluded"),
        ),
    ),
)


def _act(slug: str, verb: v.VerbTerm, object_type: str, name: str, definition: str) -> Template:
    """An act in the network: nothing of its content, and nobody but who did it."""
    return Template(
        slug,
        name,
        definition,
        verb,
        object_type,
        rules=(
            Rule(
                "$.object.definition.name[*]",
                "included",
                all=(name,),
                note="The same words for all: a title would be content.",
            ),
            Rule("$.object.definition['description','extensions','moreInfo']", "excluded"),
            Rule("$.result", "excluded"),
            Rule("$.context['extensions','instructor','team','statement']", "excluded"),
            Rule(
                "$.context.contextActivities.parent[*].definition.type",
                "recommended",
                all=(v.FORUM_TOPIC,),
                note="What it answers, where it answers something.",
            ),
            Rule(
                "$.context.contextActivities.grouping[*].definition.type",
                "recommended",
                all=(v.GROUP,),
                note="The group that it happened in, where the network says so.",
            ),
        ),
    )


NETWORK = (
    _act("network-posted", v.POSTED, v.FORUM_TOPIC, "A post in the network",
         "Somebody posts something."),
    _act("network-replied", v.REPLIED, v.FORUM_REPLY, "A reply in the network",
         "Somebody replies to a post."),
    _act("network-commented", v.COMMENTED, v.FORUM_REPLY, "A comment in the network",
         "Somebody comments on something."),
    _act("network-reacted", v.REACTED, v.FORUM_TOPIC, "A reaction in the network",
         "Somebody reacts to something, of whatever kind the reaction is."),
    _act("network-shared", v.SHARED, v.FORUM_TOPIC, "Something shared in the network",
         "Somebody passes something on."),
    _act("network-mentioned", v.MENTIONED, v.FORUM_TOPIC, "A mention in the network",
         "Somebody mentions a colleague, who is not named."),
    _act("network-asked", v.ASKED, v.FORUM_TOPIC, "A question in the network",
         "Somebody asks a question."),
    _act("network-answered", v.ANSWERED, v.FORUM_REPLY, "An answer in the network",
         "Somebody answers a question of a colleague."),
    _act("network-searched", v.SEARCHED, v.FORUM_TOPIC, "A search in the network",
         "Somebody searches; for what is not said."),
    _act("network-joined", v.JOINED, v.GROUP, "A group of the network",
         "Somebody joins a group."),
    _act("network-left", v.LEFT, v.GROUP, "A group of the network",
         "Somebody leaves a group."),
    _act("network-followed", v.FOLLOWED, v.GROUP, "Somebody or something in the network",
         "Somebody follows a group, a topic or a colleague, who is not named."),
    _act("network-updated", v.UPDATED, v.FORUM_TOPIC, "Something in the network",
         "Somebody changes something of their own."),
)  # fmt: skip

TAKEN_BACK = Template(
    "network-voided",
    "Taken back",
    "What an act in the network made was deleted there, so the statement that told of it is "
    "voided. The installation says so itself.",
    v.VOIDED,
    refers_to=tuple(act.slug for act in NETWORK),
    rules=(Rule("$.object.objectType", "included", all=("StatementRef",)),),
)

TEMPLATES = (*LEARNING, *NETWORK, TAKEN_BACK)
