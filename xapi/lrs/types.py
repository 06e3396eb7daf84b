"""The standard's special data types (xAPI 1.0.3, Data 4; IEEE 9274.1.1, 4.2.7), as pure checks.

Each `is_...` takes a value and says whether it is one; none raises. Those in capitals are the same
for strings only, without a call in between (TypeError for anything else).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

_WHOLE_NUMBERS = range(-(2**63), 2**64)  # with a sign or without
_UUID = re.compile(  # both cases spelled out: a third of the time that re.I takes
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
_IRI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
_MAILTO = re.compile(r"mailto:[^\s@,;:<>()\[\]\"]+@[^\s@,;:<>()\[\]\"]+", re.I)
_SHA1 = re.compile(r"[0-9a-f]{40}", re.I)
_SHA2 = re.compile(r"[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}", re.I)
_TIMESTAMP = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"[Tt ](?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:[.,]\d+)?)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?"
)
_BASIC_TIMESTAMP = re.compile(r"\d{8}T\d{4,6}(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?")
_USUAL_TIMESTAMP = re.compile(  # what nearly all send, and what no calendar can refuse
    r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z",
    re.ASCII,
)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)",
)
_DURATION = re.compile(
    r"P(?:\d+(?:[.,]\d+)?W|"
    r"(?=\d|T\d)(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)"
)
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"  # language, extended language
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|\d{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # private use
    r"|x(?:-[a-z0-9]{1,8})+"
    r"|i-[a-z]+|sgn-[a-z]{2}-[a-z]{2}|zh-min-nan|art-lojban",
    re.I,
)
# It becomes a header again: a single line of ASCII.
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:[ \t]*;[\t -~]*)?", re.A)
_VERSION_1 = re.compile(r"1\.0(?:\.\d+)?(?:[-+][\w.+-]+)?")
_VERSION_2 = re.compile(r"(?:1\.0|2\.0)(?:\.\d+)?(?:[-+][\w.+-]+)?")

UUID = _UUID.fullmatch
IRI = _IRI.fullmatch
DURATION = _DURATION.fullmatch
LANGUAGE = _LANGUAGE.fullmatch
USUAL_TIMESTAMP = _USUAL_TIMESTAMP.fullmatch

# Some of those that were looked at and found right: systems name the same few again and again, and
# to find one here takes a seventh of the time. Never more than REMEMBERED_MOST, and no long ones.
KNOWN_IRIS: set[str] = set()
KNOWN_LANGUAGES: set[str] = set()
REMEMBERED_MOST, REMEMBERED_CHARS = 5_000, 300


def _remember(value: str, known: set[str]) -> bool:
    if len(value) <= REMEMBERED_CHARS:
        if len(known) >= REMEMBERED_MOST:
            known.clear()
        known.add(value)
    return True


def is_exact_number(value: Any) -> bool:
    """Tell whether this is a number that can be kept as it came: finite, whole ones of 64 bits."""
    kind = type(value)
    return (kind is int and value in _WHOLE_NUMBERS) or (kind is float and math.isfinite(value))


def is_uuid(value: Any) -> bool:
    """Tell whether this is a UUID in standard string form."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def is_iri(value: Any) -> bool:
    """Tell whether this is an absolute IRI: a scheme and no white space."""
    return (
        isinstance(value, str)
        and _IRI.fullmatch(value) is not None
        and _remember(value, KNOWN_IRIS)
    )


def is_mailto(value: Any) -> bool:
    """Tell whether this is `mailto:` and one address."""
    return isinstance(value, str) and _MAILTO.fullmatch(value) is not None


def is_sha1(value: Any) -> bool:
    """Tell whether this is a hex SHA-1."""
    return isinstance(value, str) and _SHA1.fullmatch(value) is not None


def is_sha2(value: Any) -> bool:
    """Tell whether this is a hex SHA-224, 256, 384 or 512."""
    return isinstance(value, str) and _SHA2.fullmatch(value) is not None


def is_duration(value: Any) -> bool:
    """Tell whether this is an ISO 8601 duration."""
    return isinstance(value, str) and _DURATION.fullmatch(value) is not None


def is_language(value: Any) -> bool:
    """Tell whether this is a well-formed RFC 5646 language tag."""
    return (
        isinstance(value, str)
        and _LANGUAGE.fullmatch(value) is not None
        and _remember(value, KNOWN_LANGUAGES)
    )


def is_media_type(value: Any) -> bool:
    """Tell whether this is an internet media type."""
    return isinstance(value, str) and _MEDIA_TYPE.fullmatch(value) is not None


def is_version_1(value: Any) -> bool:
    """Tell whether this is a version of the 1.0 family."""
    return isinstance(value, str) and _VERSION_1.fullmatch(value) is not None


def is_version_2(value: Any) -> bool:
    """Tell whether this is a version that a 2.0 LRS takes."""
    return isinstance(value, str) and _VERSION_2.fullmatch(value) is not None


def is_timestamp(value: Any) -> bool:
    """Tell whether this is an ISO 8601 timestamp; an offset of minus zero is none (Data 4.5)."""
    if not isinstance(value, str) or value.endswith(("-00", "-0000", "-00:00")):
        return False
    if _TIMESTAMP.fullmatch(value) or _BASIC_TIMESTAMP.fullmatch(value):
        return find_moment(value) is not None
    return False


def is_rfc3339(value: Any) -> bool:
    """Tell whether this is an RFC 3339 timestamp, as 2.0 wants it."""
    return (
        isinstance(value, str)
        and _RFC3339.fullmatch(value) is not None
        and not value.endswith("-00:00")
        and find_moment(value) is not None
    )


def find_moment(value: str) -> dt.datetime | None:
    """Return the moment a timestamp means, in UTC (without a zone: taken as UTC), or None."""
    text = value.replace(",", ".").upper()
    if text[17:19] == "60":  # a leap second: Python has none
        text = f"{text[:17]}59{text[19:]}"
    whole, dot, rest = text.partition(".")
    if dot:  # Python reads 3 or 6 digits of a second, and timestamps come with any number
        digits = re.match(r"\d*", rest)
        count = digits.end() if digits else 0
        text = f"{whole}.{rest[:count][:6].ljust(6, '0')}{rest[count:]}"
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        return None
