"""The words statements are made of: verbs, activity types and extensions.

Published vocabularies come first: ADL's, cmi5's, AcrossX, ActivityStreams 1.0, the Tin Can registry,
so that any LRS's reports understand what we send. What is our own begins with the IRI of our xAPI
profile, and is explained there (`xapi.profile`).
"""

from __future__ import annotations

from typing import NamedTuple

_ADL_VERB = "http://adlnet.gov/expapi/verbs/"
_ADL_TYPE = "http://adlnet.gov/expapi/activities/"
_ACROSSX_VERB = "https://w3id.org/xapi/acrossx/verbs/"
_STREAMS = "http://activitystrea.ms/schema/1.0/"
_REGISTRY_VERB = "http://id.tincanapi.com/verb/"
_REGISTRY_TYPE = "http://id.tincanapi.com/activitytype/"


class VerbTerm(NamedTuple):
    """A verb: its IRI, and its English label (xAPI: display)."""

    iri: str
    label: str


# Learning.
REGISTERED = VerbTerm(_ADL_VERB + "registered", "registered")
LAUNCHED = VerbTerm(_ADL_VERB + "launched", "launched")
INITIALIZED = VerbTerm(_ADL_VERB + "initialized", "initialized")
EXPERIENCED = VerbTerm(_ADL_VERB + "experienced", "experienced")
PROGRESSED = VerbTerm(_ADL_VERB + "progressed", "progressed")
ATTEMPTED = VerbTerm(_ADL_VERB + "attempted", "attempted")
ANSWERED = VerbTerm(_ADL_VERB + "answered", "answered")
PASSED = VerbTerm(_ADL_VERB + "passed", "passed")
FAILED = VerbTerm(_ADL_VERB + "failed", "failed")
COMPLETED = VerbTerm(_ADL_VERB + "completed", "completed")
TERMINATED = VerbTerm(_ADL_VERB + "terminated", "terminated")
SATISFIED = VerbTerm("https://w3id.org/xapi/adl/verbs/satisfied", "satisfied")

# Certificates.
EARNED = VerbTerm(_REGISTRY_VERB + "earned", "earned")

# Use of the network.
POSTED = VerbTerm(_ACROSSX_VERB + "posted", "posted")
REPLIED = VerbTerm(_REGISTRY_VERB + "replied", "replied")
COMMENTED = VerbTerm(_ADL_VERB + "commented", "commented")
REACTED = VerbTerm(_ACROSSX_VERB + "liked", "reacted")
JOINED = VerbTerm(_STREAMS + "join", "joined")
FOLLOWED = VerbTerm(_STREAMS + "follow", "followed")
MENTIONED = VerbTerm(_REGISTRY_VERB + "mentioned", "mentioned")
SHARED = VerbTerm(_ADL_VERB + "shared", "shared")
VIEWED = VerbTerm(_REGISTRY_VERB + "viewed", "viewed")
ASKED = VerbTerm(_ADL_VERB + "asked", "asked")
SEARCHED = VerbTerm(_ACROSSX_VERB + "searched", "searched")
LEFT = VerbTerm(_STREAMS + "leave", "left")
UPDATED = VerbTerm(_STREAMS + "update", "updated")

# The standard's own (xAPI 1.0.3, Data 2.3.2).
VOIDED = VerbTerm(_ADL_VERB + "voided", "voided")

# Activity types.
COURSE = _ADL_TYPE + "course"
LESSON = _ADL_TYPE + "lesson"
MODULE = _ADL_TYPE + "module"
ASSESSMENT = _ADL_TYPE + "assessment"
QUESTION = _ADL_TYPE + "question"
INTERACTION = _ADL_TYPE + "cmi.interaction"
MISSION = _ADL_TYPE + "performance"
MEDIA = _ADL_TYPE + "media"
PATH = _STREAMS + "collection"
CERTIFICATE = _REGISTRY_TYPE + "certificate"
BADGE = _STREAMS + "badge"
FORUM_TOPIC = _REGISTRY_TYPE + "forum-topic"
FORUM_REPLY = _REGISTRY_TYPE + "forum-reply"
GROUP = _STREAMS + "group"
POST = _STREAMS + "note"
COMMENT = _STREAMS + "comment"
# What a version of a profile is, where it stands among a statement's categories (xAPI Profiles, 5.0).
PROFILE = _ADL_TYPE + "profile"

# What tells of the use of the network: these acts, about these things.
NETWORK_VERBS = (
    POSTED,
    REPLIED,
    COMMENTED,
    REACTED,
    SHARED,
    MENTIONED,
    ASKED,
    ANSWERED,
    SEARCHED,
    JOINED,
    LEFT,
    FOLLOWED,
    UPDATED,
)
NETWORK_TYPES = (FORUM_TOPIC, FORUM_REPLY, GROUP)

# Our profile: the same for every installation, and never given to anything else (decision 0008).
ROPES = "urn:uuid:e55afa88-5b8d-4f6f-ae98-7c560ed91d03"
ROPES_VERSION = "v1"
ROPES_VERSION_IRI = f"{ROPES}#{ROPES_VERSION}"

# Extensions of results. cmi5 1.0, 9.5.5.1: how much is done, a whole number of percent.
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
# Extensions of contexts: SHA-256, in hexadecimal, of a certificate's rule and of its evidence.
RULE_DIGEST = f"{ROPES}#extensions/rule-digest"
EVIDENCE_DIGEST = f"{ROPES}#extensions/evidence-digest"
