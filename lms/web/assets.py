"""Static files of every part, under one address with a hash in it, cached for good.

`asset("courses/player.js")` finds the file in the `static/` folder beside any part's blueprints:
`courses/static/courses/player.js`. The hash in the address is one for all files together: a module
can then import another by a relative address (`import "../vendor/idb/index.js"`), and a browser
never mixes two releases. Whoever asks with an old hash gets today's file, uncached.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from markupsafe import Markup

from lms.errors import NotFound
from lms.plugin import Plugin
from lms.web.compress import PAGE_TYPES, best_encoding, compress

YEAR_SECONDS = 365 * 24 * 3600
HASH_CHARS = 12
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
}
# Seen by the browser that has the style sheet already; holds the hash of the release, nothing else.
STYLED_COOKIE = "ropes-styled"


@dataclass
class Assets:
    """The static files of one app, by name, and their compressed bodies once somebody asked."""

    files: dict[str, Path]
    version: str
    bodies: dict[tuple[str, str | None], bytes] = field(default_factory=dict)
    styles: Markup | None = None  # ropes.css as it stands in a page
    lock: threading.Lock = field(default_factory=threading.Lock)

    def body(self, name: str, encoding: str | None) -> bytes:
        """Return the file's bytes as they travel; made once, kept in memory."""
        found = self.bodies.get((name, encoding))
        if found is None:
            with self.lock:
                found = self.files[name].read_bytes()
                if encoding is not None:
                    found = compress(found, encoding, static=True)
                self.bodies[name, encoding] = found
        return found


def init_app(app: Flask) -> None:
    """Collect the static files of all parts, and give templates `asset` and `styles`."""
    parts: list[Plugin] = app.extensions["lms.parts"]
    files: dict[str, Path] = {}
    for part in parts:
        for blueprint in part.blueprints:
            folder = Path(blueprint.root_path) / "static"
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    files.setdefault(path.relative_to(folder).as_posix(), path)
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    app.extensions["lms.assets"] = Assets(files, digest.hexdigest()[:HASH_CHARS])
    app.jinja_env.globals["asset"] = asset


def assets() -> Assets:
    """Return the present app's static files."""
    found: Assets = current_app.extensions["lms.assets"]
    return found


def asset(name: str) -> str:
    """Return the address of a static file; raises LookupError where no part brings it."""
    known = assets()
    if name not in known.files:
        raise LookupError(f"no part brings the static file {name}")
    return url_for("web.static", version=known.version, name=name)


def serve(version: str, name: str) -> Response:
    """Answer with one static file."""
    known = assets()
    if name not in known.files:
        raise NotFound("There is no such file.")
    path = known.files[name]
    guessed = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    mimetype = guessed or "application/octet-stream"
    encoding = best_encoding() if mimetype in PAGE_TYPES else None
    response = Response(known.body(name, encoding), mimetype=mimetype)
    if encoding is not None:
        response.headers["Content-Encoding"] = encoding
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{known.version}-{encoding or 'plain'}")
    if version == known.version:
        response.cache_control.public = True
        response.cache_control.max_age = YEAR_SECONDS
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


def inline_styles() -> Markup | None:
    """Return ropes.css to be put into the page, or None for a browser that has it already.

    A first view then paints after one round trip; the file is fetched behind it for the next page.
    """
    known = assets()
    if request.cookies.get(STYLED_COOKIE) == known.version:
        return None
    if known.styles is None:
        known.styles = Markup(squeezed(known.body("web/ropes.css", None).decode()))  # noqa: S704
    return known.styles


def squeezed(css: str) -> str:
    """Return the style sheet without its comments and line breaks."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,]) ?", r"\1", css).strip()


def remember_styles(response: Response) -> Response:
    """Note, on a page that brought the style sheet along, that this browser has it."""
    if (
        response.mimetype == "text/html"
        and response.status_code < 400
        and request.cookies.get(STYLED_COOKIE) != assets().version
    ):
        response.set_cookie(
            STYLED_COOKIE,
            assets().version,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )
    return response
