"""`ropes lrs export`: statements as files, from the command line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lms import audit
from lms.db import db, transaction, writing
from lms.errors import Conflict
from xapi.keeping import files, rows
from xapi.keeping.choice import Choice
from xapi.keeping.subject import read_subject
from xapi.lrs.store import last_place

DAY = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


def progress() -> Progress:
    """Return a bar on standard error: rows done of rows to do, and how long it still takes."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


@click.command("export")
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", type=DAY, help="Stored after this day or moment (UTC).")
@click.option("--until", type=DAY, help="Stored up to this day or moment (UTC).")
@click.option("--person", help="Of one person or agent: as on the page Keeping.")
@click.option("--verb", help="Of one verb: its address.")
@click.option("--without-voided", is_flag=True, help="Leave voided statements out.")
@click.option("--attachments", is_flag=True, help="Attachments too, in a file beside it.")
@click.option("--documents", is_flag=True, help="Documents too, in a file beside it.")
def export(
    output: Path,
    since: dt.datetime | None,
    until: dt.datetime | None,
    person: str | None,
    verb: str | None,
    without_voided: bool,
    attachments: bool,
    documents: bool,
) -> None:
    """Write statements into a file, one a line as it is stored; compressed if it ends in .gz."""
    choice = Choice(
        agents=read_subject(person).keys if person else (),
        since=since.replace(tzinfo=dt.UTC) if since else None,
        until=until.replace(tzinfo=dt.UTC) if until else None,
        verb=verb,
        voided=not without_voided,
        attachments=attachments,
        documents=documents,
    )
    paths = [files.beside(output, part) for part in choice.parts]
    for path in paths:
        if path.exists():
            raise Conflict(f"{path} is there already. Nothing was written.")
    with transaction():
        audit.note("xapi.export.taken", "export/command-line", narrowed=not choice.whole)
    with writing(False), progress() as bar:
        last = last_place().id
        task = bar.add_task("Lines", total=rows.count(choice, last))
        db.session.rollback()
        for part, path in zip(choice.parts, paths, strict=True):
            size, cursor = files.append(path, 0, []), ""
            while True:
                lines, cursor = rows.batch(choice, part, cursor, last)
                db.session.rollback()
                if not lines:
                    break
                size = files.append(path, size, lines)
                bar.advance(task, len(lines))
    for path in paths:
        click.echo(f"Written: {path}")
