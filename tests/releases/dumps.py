"""The databases that are kept with each release, as SQL text, compressed.

`python -m tests.releases.dumps` makes both (SQLite's and PostgreSQL's) for the version that
setup.cfg names. Do it as the last step of a release; what is there is never made anew, since a
database that somebody runs cannot be either.
"""

from __future__ import annotations

import configparser
import lzma
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg

from lms.db import db
from tests import databases
from tests.releases.company import small_company

ROOT = Path(__file__).parent.parent.parent
FOLDER = Path(__file__).parent / "dumps"
MOST_BYTES = 300_000


def present_version() -> str:
    """Return the version that setup.cfg names."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["metadata"]["version"]


def versions() -> list[str]:
    """Return the released versions of which a database is kept, oldest first."""
    names = {path.name.removesuffix(".sqlite.sql.xz") for path in FOLDER.glob("*.sqlite.sql.xz")}
    return sorted(names, key=lambda name: [int(part) for part in name.split(".")])


def path_of(version: str, kind: str) -> Path:
    """Return where the dump of a version is kept; kind: `sqlite` or `postgresql`."""
    return FOLDER / f"{version}.{kind}.sql.xz"


def restore(version: str, address: str) -> None:
    """Bring a version's company into an empty database at a SQLAlchemy address."""
    kind = "sqlite" if address.startswith("sqlite") else "postgresql"
    text = lzma.decompress(path_of(version, kind).read_bytes()).decode()
    if kind == "sqlite":
        with sqlite3.connect(address.removeprefix("sqlite:///")) as connection:
            connection.executescript(text)
        connection.close()
        return
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(text)  # type: ignore[call-overload]


def _dump_sqlite() -> str:
    with small_company():
        path = db.engine.url.database
        db.session.remove()
        db.engine.dispose()
        connection = sqlite3.connect(path or "")
        text = "\n".join(connection.iterdump())
        connection.close()
    return text


def _dump_postgresql() -> str:
    programs = databases.find_postgresql()
    assert programs is not None, "PostgreSQL is not installed"
    with databases.own_cluster() as cluster:
        databases.run_sql(cluster.address, "CREATE DATABASE company")
        address = f"{cluster.address}/company"
        with small_company(address):
            done = subprocess.run(
                [programs / "pg_dump", "--no-owner", "--no-privileges", "--inserts",
                 "--rows-per-insert=100", address.replace("+psycopg", "")],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
    # Words to psql itself, which newer dumps begin and end with; the search path is left alone.
    lines = [line for line in done.stdout.splitlines() if not line.startswith("\\")]
    return "\n".join(line for line in lines if "set_config('search_path'" not in line)


def main() -> int:
    """Make the dumps of the present version, unless they are there."""
    version = present_version()
    FOLDER.mkdir(exist_ok=True)
    for kind, dump in (("sqlite", _dump_sqlite), ("postgresql", _dump_postgresql)):
        path = path_of(version, kind)
        if path.exists():
            sys.stderr.write(f"{path.name} is there: a release is made once.\n")
            return 1
        packed = lzma.compress(dump().encode(), preset=9 | lzma.PRESET_EXTREME)
        if len(packed) > MOST_BYTES:
            sys.stderr.write(f"{path.name} would have {len(packed)} bytes; make it smaller.\n")
            return 1
        path.write_bytes(packed)
        sys.stdout.write(f"{path.name}: {len(packed)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
