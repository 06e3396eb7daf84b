"""What every answer says to the browser: what may run, who may frame it, who may keep it.

The content security policy allows nothing but our own files; a script runs only with the nonce of
its page, and strings become markup only through the one Trusted Types policy, `ropes`
(`web/trusted.js`). Nothing is reported anywhere.
"""

from __future__ import annotations

import secrets

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.local import LocalProxy

from lms.people.current import find_current_person
from lms.people.gate import is_for_machines
from lms.plugin import Plugin
from lms.web.bodies import FORMS, is_read_by_its_view, read_whole

HSTS_SECONDS = 2 * 365 * 24 * 3600
NONCE_BYTES = 16
# An answer to a machine is never a page: whoever opens it in a browser after all sees it do nothing.
MACHINE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    # Against what is loaded without asking (pictures, scripts): what asks (CORS) is not held by it.
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "private, no-cache"),
)


def init_app(app: Flask) -> None:
    """Protect every form, except those of blueprints for machines, and set the headers."""
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # a page may lie open on a phone for days
    app.before_request(read_whole)
    app.before_request(refuse_nul)
    csrf = CSRFProtect(app)
    parts: list[Plugin] = app.extensions["lms.parts"]
    for part in parts:
        for blueprint in part.csrf_exempt:
            csrf.exempt(blueprint)
    app.jinja_env.globals["csp_nonce"] = LocalProxy(csp_nonce)
    app.after_request(set_headers)


def refuse_nul() -> None:
    """Refuse a NUL in an address or a form: no text here holds one, and PostgreSQL takes none."""
    if "\0" in request.path:
        abort(404)
    if b"%00" in request.query_string or _has_nul_in_form():
        abort(400)


def _has_nul_in_form() -> bool:
    if request.mimetype not in FORMS or is_read_by_its_view():
        return False
    return any("\0" in name or "\0" in value for name, value in request.form.items(multi=True))


def csp_nonce() -> str:
    """Return the nonce of the present answer."""
    if "web_nonce" not in g:
        g.web_nonce = secrets.token_urlsafe(NONCE_BYTES)
    found: str = g.web_nonce
    return found


def allow_framing() -> None:
    """Let our own pages show the present answer in a frame (the author's preview does)."""
    g.web_framed = True


def content_security_policy() -> str:
    """Return the policy of the present answer."""
    nonce = csp_nonce()
    ancestors = "'self'" if g.get("web_framed") else "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "frame-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {ancestors}",
            "require-trusted-types-for 'script'",
            "trusted-types ropes",
        )
    )


def set_headers(response: Response) -> Response:
    """Set what is not set yet; a view that knows better (a public file, a frame) keeps its own."""
    headers = response.headers
    if is_for_machines():
        given = {name.lower() for name, _value in headers}  # each `setdefault` looks through all
        for name, value in MACHINE_HEADERS:
            if name.lower() not in given:
                headers.add(name, value)
        _ask_for_https(response)
        return response
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
    headers.setdefault("X-Frame-Options", "SAMEORIGIN" if g.get("web_framed") else "DENY")
    headers.setdefault("Content-Security-Policy", content_security_policy())
    if "Cache-Control" not in headers:
        signed_in = find_current_person() is not None
        headers["Cache-Control"] = "no-store" if signed_in else "private, no-cache"
        response.vary.add("Cookie")
    _ask_for_https(response)
    return response


def _ask_for_https(response: Response) -> None:
    if request.is_secure or current_app.config["LMS_BASE_URL"].startswith("https:"):
        response.headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
