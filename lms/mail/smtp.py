"""Handing mail to the server (RFC 5321), and telling apart what it can answer.

Whose fault it is decides what is done: an address that is refused holds up nobody else, a server
that is away is not asked for each mail anew, and what may have gone out is not sent again at once.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import smtplib
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from enum import StrEnum
from types import TracebackType
from urllib.parse import urlsplit

from flask import current_app

from lms import clock

# A server that says nothing is given up soon; one that has the whole mail may look at it for longer.
ANSWER_SECONDS = 5
TAKEN_SECONDS = 20
MAILS_A_CONNECTION = 100
# Answers to RCPT and DATA that speak of the session and not of the address (RFC 5321, 4.2.2 and
# 4.3.2; RFC 4954, 6): wrong order, no such command, sign in first.
OF_THE_SESSION = frozenset({421, 500, 502, 503, 530, 534, 535, 538})


class Outcome(StrEnum):
    """What came of a mail."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # this mail, for good (5yz)
    LATER = "later"  # this mail, for now (4yz)
    AWAY = "away"  # nobody was reached: no mail can be sent just now
    BROKEN = "broken"  # the server gave up in the middle of this mail, before it had all of it
    DOUBT = "doubt"  # it had the whole mail and did not answer: it may have gone out


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, with the server's code (0 where it gave none) and the kind of fault, no address."""

    outcome: Outcome
    code: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person. stop_url: where its kind can be stopped by one click (RFC 8058)."""

    address: str
    subject: str
    text: str
    html: str
    message_id: str  # without brackets; the same for a mail that is sent twice
    stop_url: str = ""


def host_name() -> str:
    """Return the name under which this installation speaks: that of its address."""
    return urlsplit(current_app.config["LMS_BASE_URL"]).hostname or "localhost"


def compose(letter: Letter) -> EmailMessage:
    """Return the mail as it travels; raises ValueError where a header cannot be written."""
    message = EmailMessage(policy.SMTP)
    message["Subject"] = " ".join(letter.subject.split())
    message["From"] = current_app.config["LMS_MAIL_SENDER"]
    message["To"] = letter.address
    message["Date"] = email.utils.format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.message_id}>"
    # Out-of-office notes and mailing lists should leave these alone (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    if letter.stop_url:
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


class Line:
    """A connection to the mail server: opened for the first mail, used for those that follow."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()

    def send(self, letter: Letter) -> Answer:
        """Hand over one mail; never raises for what the server or the network do."""
        try:
            message = compose(letter)
            (_receiver,) = message["To"].addresses
        except ValueError as error:  # no such address can exist
            return Answer(Outcome.REFUSED, 0, type(error).__name__)
        if self._sent >= MAILS_A_CONNECTION:
            self._hang_up()
        used = self._sent > 0
        answer = self._hand_over(message)
        if answer.outcome is Outcome.AWAY and used:
            answer = self._hand_over(message)  # it had only grown tired of this connection
        if answer.outcome in (Outcome.AWAY, Outcome.BROKEN, Outcome.DOUBT):
            self._hang_up()
        return answer

    def _hand_over(self, message: EmailMessage) -> Answer:
        try:
            smtp = self._open()
            (sender,), (receiver,) = message["From"].addresses, message["To"].addresses
            options = _options(smtp, message, receiver.addr_spec)
            code, _words = smtp.mail(sender.addr_spec, options)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            self._hang_up()
            return Answer(Outcome.AWAY, _code(error), type(error).__name__)
        if code != 250:
            self._hang_up()
            return Answer(Outcome.AWAY, code, "SMTPSenderRefused")
        try:
            answer = self._transfer(smtp, message, receiver.addr_spec, bool(options))
        except (OSError, smtplib.SMTPException) as error:
            return Answer(Outcome.BROKEN, _code(error), type(error).__name__)
        self._sent += 1
        if answer.outcome in (Outcome.REFUSED, Outcome.LATER):
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.rset()
        return answer

    def _transfer(
        self, smtp: smtplib.SMTP, message: EmailMessage, receiver: str, utf8: bool
    ) -> Answer:
        if not receiver.isascii() and not utf8:
            return Answer(Outcome.REFUSED, 0, "SMTPNotSupportedError")
        code, _words = smtp.rcpt(receiver)
        if code not in (250, 251):
            return _judged(code)
        code, _words = smtp.docmd("DATA")
        if code != 354:
            return _judged(code)
        sent = message.as_bytes(policy=policy.SMTPUTF8 if utf8 else policy.SMTP)
        smtp.send(re.sub(rb"(?m)^\.", b"..", sent))  # RFC 5321, 4.5.2
        try:  # from here on it may have gone out
            assert smtp.sock is not None  # noqa: S101 - told to the type checker
            smtp.sock.settimeout(TAKEN_SECONDS)
            smtp.send(b".\r\n")
            code, _words = smtp.getreply()
            smtp.sock.settimeout(ANSWER_SECONDS)
        except (OSError, smtplib.SMTPException) as error:
            return Answer(Outcome.DOUBT, _code(error), type(error).__name__)
        return Answer(Outcome.ACCEPTED, code) if code == 250 else _judged(code)

    def _open(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        config = current_app.config
        smtp = smtplib.SMTP(
            config["LMS_MAIL_SERVER"],
            config["LMS_MAIL_PORT"],
            local_hostname=host_name(),  # asking the resolver can take as long as all the rest
            timeout=ANSWER_SECONDS,
        )
        self._smtp, self._sent = smtp, 0
        if config["LMS_MAIL_TLS"]:
            smtp.starttls()
        if config["LMS_MAIL_USERNAME"]:
            smtp.login(config["LMS_MAIL_USERNAME"], config["LMS_MAIL_PASSWORD"])
        smtp.ehlo_or_helo_if_needed()
        return smtp

    def _hang_up(self) -> None:
        smtp, self._smtp, self._sent = self._smtp, None, 0
        if smtp is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.sock is not None:
                smtp.sock.settimeout(1)
            smtp.quit()
        smtp.close()


def _options(smtp: smtplib.SMTP, message: EmailMessage, receiver: str) -> list[str]:
    """Return what an address in other letters than ASCII asks for (RFC 6531), where it is offered."""
    plain = receiver.isascii() and str(message["From"]).isascii()
    return [] if plain or not smtp.has_extn("smtputf8") else ["SMTPUTF8"]


def _judged(code: int) -> Answer:
    if code in OF_THE_SESSION or code < 400:
        return Answer(Outcome.BROKEN, max(code, 0), "SMTPResponseException")
    return Answer(Outcome.REFUSED if code >= 500 else Outcome.LATER, code)


def _code(error: Exception) -> int:
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
