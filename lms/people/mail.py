"""Mail, by Flask-Mailman, from the LMS_MAIL_* settings. Only jobs call it: it opens connections."""

from __future__ import annotations

from flask import Flask, current_app
from flask_mailman import EmailMultiAlternatives, Mail

TIMEOUT_SECONDS = 15


def init_mail(app: Flask) -> None:
    """Set up Flask-Mailman, once."""
    app.config.update(
        MAIL_SERVER=app.config["LMS_MAIL_SERVER"] or "localhost",
        MAIL_PORT=app.config["LMS_MAIL_PORT"],
        MAIL_USERNAME=app.config["LMS_MAIL_USERNAME"] or None,
        MAIL_PASSWORD=app.config["LMS_MAIL_PASSWORD"] or None,
        MAIL_USE_TLS=app.config["LMS_MAIL_TLS"],
        MAIL_DEFAULT_SENDER=app.config["LMS_MAIL_SENDER"],
        MAIL_TIMEOUT=TIMEOUT_SECONDS,
        MAIL_BACKEND="smtp",  # in tests too: they run a real server
    )
    if "mailman" not in app.extensions:
        Mail(app)


def mail_is_set_up() -> bool:
    """Whether there is a server to hand mail to."""
    return bool(current_app.config["LMS_MAIL_SERVER"])


def send_mail(
    address: str, subject: str, text: str, html: str | None = None, message_id: str | None = None
) -> None:
    """Hand one mail to the server; raises OSError or SMTPException where it does not take it.

    message_id: RFC 5322's, without brackets; the same for a mail that may be sent twice.
    """
    connection = current_app.extensions["mailman"].get_connection()
    message = EmailMultiAlternatives(
        connection=connection,
        subject=subject,
        body=text,
        to=[address],
        # Out-of-office notes and mailing lists should leave these alone (RFC 3834).
        headers={
            "Auto-Submitted": "auto-generated",
            **({"Message-ID": f"<{message_id}>"} if message_id else {}),
        },
    )
    if html is not None:
        message.attach_alternative(html, "text/html")
    try:
        connection.open()
        message.send()
    finally:
        connection.close()  # Flask-Mailman leaves it open where the server refuses


def check_mail() -> str | None:
    """For `ropes doctor`: say what is lacking."""
    if mail_is_set_up():
        return None
    return (
        "No mail server is set: people cannot get a sign-in code, and reminders wait. "
        "Set LMS_MAIL_SERVER."
    )
