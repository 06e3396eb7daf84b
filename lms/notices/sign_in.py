"""Notices to people about their own sign-in: what changed, and what to do if it was not them."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from lms.events import SignInChange, SignInChanged
from lms.notices.services import send_many
from lms.plugin import NoticeKind

PAGE = "/me/sign-in#not-you"
TEMPLATE = "notices/mail/sign_in"
PURPOSE = "Somebody is told that their way in has changed, in case it was somebody else."

KINDS = {
    change: NoticeKind(f"notices.{change}", subject, TEMPLATE, PURPOSE)
    for change, subject in {
        SignInChange.PASSWORD_SET: _l("A password for your account was set. Was it you?"),
        SignInChange.PASSWORD_CHANGED: _l("The password of your account was changed. Was it you?"),
        SignInChange.PASSKEY_ADDED: _l("A passkey was added to your account. Was it you?"),
        SignInChange.PASSKEY_REMOVED: _l("A passkey was removed from your account. Was it you?"),
        SignInChange.ADDRESS_CHANGED: _l(
            "Your account has another e-mail address now. Is it yours?"
        ),
    }.items()
}
FORMER_ADDRESS = NoticeKind(
    "notices.former_address",
    _l("Mail about your account goes to another address from now on"),
    "notices/mail/former_address",
    "Whoever reads the address that was somebody's until now is told that it is no longer.",
)


def tell(event: SignInChanged) -> None:
    """Tell people what changed, and those whose address changed at the former one as well."""
    kind = KINDS[event.change]
    send_many(
        kind.slug,
        [
            (person_id, f"{kind.slug}/{event.key}/{person_id}", {"path": PAGE})
            for person_id in sorted(event.person_ids)
        ],
    )
    if event.former:
        send_many(
            FORMER_ADDRESS.slug,
            [
                (person_id, f"{FORMER_ADDRESS.slug}/{event.key}/{person_id}", {})
                for person_id in event.former
            ],
            addresses=event.former,
        )
