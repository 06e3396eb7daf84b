"""Pictures: taken in with suspicion, re-encoded, stored once by what they contain.

Whatever is uploaded is decoded and written anew by Pillow, so that nothing but pixels survives: no
position where a photo was taken, no script in an SVG (which is refused), no second file inside.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flask import current_app
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError
from sqlalchemy import select

from courses.catalogue.models import Media
from lms.db import db
from lms.errors import Invalid, NotFound, TooLarge

UPLOAD_MAX_BYTES = 10 * 1024 * 1024
PIXELS_MAX = 40_000_000
SIDE_MAX = 1600  # pixels; a phone shows 390 of them, a dense one three times that
FORMATS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}
CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
JPEG_QUALITY = 85
_switch = threading.Lock()


def folder() -> Path:
    """Return the folder where pictures are kept (LMS_COURSES_MEDIA, or in the instance folder)."""
    named = current_app.config["LMS_COURSES_MEDIA"]
    return Path(named) if named else Path(current_app.config["LMS_INSTANCE"]) / "courses-media"


def add_picture(content: bytes) -> Media:
    """Take in a picture and return its row; the same bytes always give the same row.

    Raises Invalid where it is no picture we can show, TooLarge where it is too big. A picture that
    was exported from here comes back as it is, not encoded a second time.
    """
    given = hashlib.sha256(content).hexdigest()
    known = db.session.get(Media, given)
    if known is not None and _path(known).exists():
        return known
    made, extension, width, height = reencode(content)
    digest = hashlib.sha256(made).hexdigest()
    found = db.session.get(Media, digest)
    if found is None:
        found = Media(
            sha256=digest, extension=extension, width=width, height=height, size_bytes=len(made)
        )
        db.session.add(found)
        db.session.flush()
    _store(_path(found), made)
    return found


def reencode(content: bytes) -> tuple[bytes, str, int, int]:
    """Return (bytes, extension, width, height) of the picture written anew, turned upright."""
    if len(content) > UPLOAD_MAX_BYTES:
        raise TooLarge(
            "The picture is larger than %(megabytes)s MB.", megabytes=UPLOAD_MAX_BYTES // 1024**2
        )
    try:
        with warnings.catch_warnings(), _whole_pictures_only():
            warnings.simplefilter("ignore")  # Pillow warns of what we refuse in words
            with Image.open(io.BytesIO(content), formats=tuple(FORMATS)) as opened:
                if opened.width * opened.height > PIXELS_MAX:
                    raise TooLarge("The picture has too many pixels. Make it smaller first.")
                kind = opened.format or "PNG"
                picture = ImageOps.exif_transpose(opened)
                picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise Invalid("This is not a picture we can show. Use PNG, JPEG, GIF or WebP.") from error
    except Image.DecompressionBombError as error:
        raise TooLarge("The picture has too many pixels. Make it smaller first.") from error
    if kind == "GIF":
        kind = "PNG"  # the first frame: nothing moves by itself on a learner's page
    if kind != "PNG" or not _drawn(picture):
        picture = picture.convert("RGB" if kind == "JPEG" else _mode(picture))
    picture.thumbnail((SIDE_MAX, SIDE_MAX))
    picture.info.clear()  # Pillow hands on what it read there: a JPEG's comment, a colour profile
    made = io.BytesIO()
    options = {"quality": JPEG_QUALITY} if kind == "JPEG" else {}
    picture.save(made, kind, optimize=True, **options)
    return made.getvalue(), FORMATS[kind], picture.width, picture.height


@contextmanager
def _whole_pictures_only() -> Iterator[None]:
    """Refuse a file that ends too early, whatever else this process has told Pillow.

    Importing WeasyPrint sets this switch for the whole process.
    """
    with _switch:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


def _drawn(picture: Image.Image) -> bool:
    """Whether a picture of few colours can stay so: a drawing is a third of its size that way."""
    fits = max(picture.size) <= SIDE_MAX  # a palette cannot be scaled down without harm
    return picture.mode == "P" and "transparency" not in picture.info and fits


def _mode(picture: Image.Image) -> str:
    return "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"


def read_picture(sha256: str) -> tuple[Media, bytes]:
    """Return a picture's row and bytes; raises NotFound."""
    found = db.session.get(Media, sha256)
    if found is None or not _path(found).exists():
        raise NotFound("This picture is not here any more.")
    return found, _path(found).read_bytes()


def picture_addresses(media: Mapping[str, str]) -> dict[str, str]:
    """Return where each named picture of a document is served: `/courses/media/<sha>.<ext>`."""
    rows = find_pictures(media.values())
    return {
        name: f"/courses/media/{digest}.{rows[digest].extension}"
        for name, digest in media.items()
        if digest in rows
    }


def find_pictures(digests: Iterable[str]) -> dict[str, Media]:
    """Return the rows of those pictures that are here, by digest."""
    wanted = list(digests)
    if not wanted:
        return {}
    rows = db.session.scalars(select(Media).where(Media.sha256.in_(wanted)))
    return {row.sha256: row for row in rows}


def _path(media: Media) -> Path:
    return folder() / media.sha256[:2] / f"{media.sha256}.{media.extension}"


def _store(path: Path, content: bytes) -> None:
    """Write the file whole or not at all; a file that is there already has these bytes."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(content)
        part.flush()
        os.fsync(part.fileno())
    os.replace(part.name, path)
