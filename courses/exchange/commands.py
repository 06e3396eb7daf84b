"""`ropes course ...`: courses on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import click
from flask.cli import AppGroup

from courses.catalogue.document import slug_of
from courses.catalogue.services import get_course
from courses.exchange.course_text import format_course, parse_course
from courses.exchange.folder import read_folder, read_zip, write_folder, write_zip
from courses.exchange.library import load_library
from courses.exchange.services import export_course, import_course
from lms.db import transaction
from lms.errors import ForMachines, Invalid

course_commands = AppGroup("course", help="Courses as folders of text.")


def read_source(source: Path) -> dict[str, bytes]:
    """Return a course's files from a folder or a zip file."""
    if source.is_dir():
        return read_folder(source)
    if not source.is_file():
        raise Invalid(
            ForMachines(f"There is no {source}. Give a course's folder, or its zip file.")
        )
    return read_zip(source.read_bytes())


@course_commands.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--slug", help="The course's name in addresses; by default the folder's name.")
@click.option("--draft", is_flag=True, help="Keep it as a draft; do not publish it.")
def import_(source: Path, slug: str | None, draft: bool) -> None:
    """Bring a course in from SOURCE, a folder or a zip file, and publish it."""
    files = read_source(source)
    name = slug or slug_of(re.sub(r"\.zip\Z", "", source.resolve().name), "course")
    with transaction(reads_first=True):
        done = import_course(name, files, as_draft=draft)
        title = done.course.title
        if done.version is not None:
            said = f"Published: “{title}”, version {done.version.number}."
        elif draft:
            said = f"Saved as a draft: “{title}”."
        else:
            said = f"“{title}” is published already, word for word. Nothing was changed."
    click.echo(said)


@course_commands.command("export")
@click.argument("slug")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--draft", is_flag=True, help="Export the draft, not the newest version.")
def export(slug: str, target: Path, draft: bool) -> None:
    """Write the course SLUG to TARGET: a new folder or, if it ends in .zip, a zip file."""
    files = export_course(get_course(slug), draft)
    if target.suffix == ".zip":
        if target.exists():
            raise Invalid(ForMachines(f"{target} is there already. Name another file."))
        target.write_bytes(write_zip(files))
    else:
        write_folder(target, files)
    click.echo(f"Written: {target}, {len(files)} files.")


@course_commands.command("format")
@click.argument("folder", type=click.Path(path_type=Path))
def format_(folder: Path) -> None:
    """Check the course in FOLDER and rewrite its text the way an export would write it."""
    before = read_folder(folder)
    after = format_course(parse_course(before))
    changed = sorted(name for name in before.keys() | after if before.get(name) != after.get(name))
    for name in before.keys() - after.keys():
        (folder / name).unlink()
    for name in changed:
        if name in after:
            (folder / name).write_bytes(after[name])
    click.echo(f"Rewritten: {', '.join(changed)}." if changed else "Nothing to change.")


@course_commands.command("load-library")
def load_library_() -> None:
    """Bring in the courses and paths that ship; those that have not changed are left alone."""
    done = load_library()
    for kind, names in (("Courses", done.courses), ("Paths", done.paths)):
        if names:
            click.echo(f"{kind}: {', '.join(names)}.")
    if done.kept:
        click.echo(f"Changed here, so left as they are: {', '.join(done.kept)}.")
    if done.refused:
        raise Invalid(
            ForMachines("\n".join(f"{name}: {why}" for name, why in done.refused.items()))
        )
    if not (done.courses or done.paths or done.kept):
        click.echo("Everything that ships is here already.")
