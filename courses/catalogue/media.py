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
from lms.web.writable import check_folder
from lms.writers import outside_writing

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
CHECKED_MOST = 500
_switch = threading.Lock()


def folder() -> Path:
    """Return the folder where pictures are kept (LMS_COURSES_MEDIA, or in LMS_FILES)."""
    named = current_app.config["LMS_COURSES_MEDIA"]
    return Path(named) if named else Path(current_app.config["LMS_FILES"]) / "courses-media"


def check_media() -> str | None:
    """Look whether a picture could be kept, where they have a folder of their own."""
    named = current_app.config["LMS_COURSES_MEDIA"]
    if not named:
        return None  # the kernel looks at the instance folder
    place = Path(named)
    return check_folder(place if place.exists() else place.parent, "LMS_COURSES_MEDIA")


def add_picture(content: bytes) -> Media:
    """Take in a picture and return its row; see `add_pictures`."""
    return add_pictures([content])[0]


def add_pictures(contents: Iterable[bytes]) -> list[Media]:
    """Take in pictures and return their rows; the same bytes always give the same row.

    Raises Invalid where one is no picture we can show, TooLarge where it is too big. A picture that
    was exported from here comes back as it is, not encoded a second time. All are decoded, written
    anew and on the disk before the first row is written.
    """
    taken = [_take_in(content) for content in contents]
    rows: dict[str, Media] = {}
    for one in taken:
        if one.sha256 not in rows:
            known = db.session.get(Media, one.sha256)
            rows[one.sha256] = one if known is None else known
            db.session.add(rows[one.sha256])
    db.session.flush()
    return [rows[one.sha256] for one in taken]


def _take_in(content: bytes) -> Media:
    """Return the row of a picture, which may be new, once its file is there."""
    given = hashlib.sha256(content).hexdigest()
    known = db.session.get(Media, given)
    if known is not None and _path(known).exists():
        return known
    made, extension, width, height = reencode(content)
    found = Media(
        sha256=hashlib.sha256(made).hexdigest(),
        extension=extension,
        width=width,
        height=height,
        size_bytes=len(made),
    )
    _store(_path(found), made)
    return found


def reencode(content: bytes) -> tuple[bytes, str, int, int]:
    """Return (bytes, extension, width, height) of the picture written anew, turned upright."""
    outside_writing("taking in a picture")
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


def check_pictures() -> str | None:
    """For `ropes doctor`: say when pictures that courses name are not in the folder."""
    looked_at = db.session.scalars(select(Media).limit(CHECKED_MOST)).all()
    missing = sum(not _path(one).exists() for one in looked_at)
    if not missing:
        return None
    return (
        f"{missing} of {len(looked_at)} pictures are not in {folder()}. Several machines need one "
        "folder for files (LMS_FILES); after a restore, copy the files back as well."
    )


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
