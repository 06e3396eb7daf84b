"""What became of a batch, and when to try again. Pure."""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import re
from dataclasses import dataclass
from enum import Enum
from html.parser import HTMLParser

WORDS_MOST = 2000
_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
RETRY_AFTER_MOST_SECONDS = 24 * 3600.0


class Verdict(Enum):
    """What an answer means for the statements that were sent."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # something in the batch is not taken, today or ever
    DOUBTFUL = "doubtful"  # as REFUSED if others of the batch are taken, else as LATER
    CONFLICT = "conflict"  # one of the ids is there already
    LATER = "later"  # nothing is wrong with the statements


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict, the HTTP status (0: no answer), and the target's own words."""

    verdict: Verdict
    status: int = 0
    words: str = ""
    retry_after_seconds: float | None = None


def judge(status: int) -> Verdict:
    """Return what an HTTP status means.

    403 is a wrong key or a statement that this key may not send; 5xx other than 502-504 a server
    that is broken or one that breaks on a statement: whether others get through decides.
    """
    if status in (200, 204):
        return Verdict.DELIVERED
    if status == 409:
        return Verdict.CONFLICT
    if status in (400, 413, 415, 422):
        return Verdict.REFUSED
    if status == 403 or status == 500:
        return Verdict.DOUBTFUL
    return Verdict.LATER


def read_retry_after(text: str | None, now: dt.datetime) -> float | None:
    """Return the seconds a Retry-After header asks for (a number or a date), or None."""
    if not text:
        return None
    text = text.strip()
    if text.isdecimal():
        seconds = float(text)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_MOST_SECONDS)


def wait_seconds(
    failures: int, retry_after_seconds: float | None, first: float, most: float
) -> float:
    """Return how long to wait after so many failures in a row: doubling, with jitter.

    Half to one and a half times the step, so that many senders do not come back together; never
    sooner than the target asked for.
    """
    step = min(first * 2.0 ** min(failures - 1, 30), most)
    waiting = step * random.uniform(0.5, 1.5)  # noqa: S311 - nothing is to be guessed
    return max(waiting, retry_after_seconds or 0.0)


def cut(words: str) -> str:
    """Return a target's words, short enough to keep and to read; of a web page what one would see."""
    if _PAGE.match(words):
        page = _Page()
        page.feed(words)
        page.close()
        words = " ".join(page.seen) or "an empty web page"
    words = " ".join(words.replace("\x00", " ").split())
    return words if len(words) <= WORDS_MOST else words[: WORDS_MOST - 1] + "…"


class _Page(HTMLParser):
    """What is to be read on a web page; what stands in its title and again below is read once."""

    _UNSEEN = ("script", "style")

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is not to be read."""
        if tag in self._UNSEEN:
            self._within = tag

    def handle_endtag(self, tag: str) -> None:
        """Read on."""
        if tag == self._within:
            self._within = ""

    def handle_data(self, data: str) -> None:
        """Take what is to be read."""
        text = " ".join(data.split())
        if text and not self._within and self.seen[-1:] != [text]:
            self.seen.append(text)
