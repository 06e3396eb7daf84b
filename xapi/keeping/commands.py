"""`ropes lrs export`, `remove-person` and `retention`: keeping, from the command line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lms import audit
from lms.db import db, transaction, writing
from lms.errors import Conflict, ForMachines, NotFound
from xapi.keeping import files, removal, retention, rows
from xapi.keeping.choice import Choice
from xapi.keeping.models import RemovalState
from xapi.keeping.retention import Rules
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
@with_appcontext
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
        if not path.parent.is_dir():
            raise NotFound(ForMachines(f"There is no folder {path.parent}. Nothing was written."))
        if path.exists():
            raise Conflict(ForMachines(f"{path} is there already. Nothing was written."))
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


@click.command("remove-person")
@click.argument("person")
@click.option("--reason", default="", help="Why, for the record; not who it is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def remove_person(person: str, reason: str, yes: bool) -> None:
    """Remove the statements of PERSON (as on the page Keeping) for good."""
    with writing(False):
        subject = read_subject(person)
        extent = removal.measure(subject)
        db.session.rollback()
    click.echo(
        f"Statements that name them, or are about such a one: {extent.statements} (those of others "
        f"stay, without the person). Documents: {extent.documents}. Copies for sending: "
        f"{extent.copies}."
    )
    for name in extent.elsewhere:
        click.echo(f"What “{name}” holds must be removed there.")
    if not extent.total:
        return
    if not yes:
        click.confirm("This cannot be undone. Remove them?", abort=True)
    with transaction():
        uid = removal.ask(subject, reason, None).uid
    removal.work()
    with writing(False):
        made = removal.get(uid)
        done = made.state == RemovalState.DONE.value
        click.echo(
            f"Removed: statements {made.statements}, documents {made.documents}, copies "
            f"{made.copies}. Statements of others, changed: {made.replaced}."
            if done
            else "A worker is at it: the page Keeping says when it is done."
        )
        db.session.rollback()


MONTHS = click.IntRange(0, retention.MOST_MONTHS)


@click.command("retention")
@click.option("--statements", type=MONTHS, help="Months for all statements; 0: for ever.")
@click.option("--network", type=MONTHS, help="Months for what tells of the network; 0: for ever.")
@click.option("--outbox", type=MONTHS, help="Months for the copies for sending; 0: for ever.")
@click.option("--what-if", is_flag=True, help="Say what would go now, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def keep_for(
    statements: int | None, network: int | None, outbox: int | None, what_if: bool, yes: bool
) -> None:
    """Say, or set, for how many months statements are kept."""
    with writing(False):
        now = retention.rules()
        new = Rules(
            now.statements if statements is None else statements or None,
            now.network if network is None else network or None,
            now.outbox if outbox is None else outbox or None,
        )
        due = retention.count_due(new)
        db.session.rollback()
    for label, months in (
        ("Statements", new.statements),
        ("What tells of the network", new.network),
        ("Copies for sending", new.outbox),
    ):
        click.echo(f"{label}: {f'{months} months' if months else 'for ever'}")
    if new != now or what_if:
        click.echo(f"By these rules {due[0]} statements and {due[1]} copies go now.")
    if what_if or new == now:
        return
    if any(due) and not yes:
        click.confirm("This cannot be undone. Keep so from now on?", abort=True)
    with transaction():
        retention.change(new, None)
    retention.work()
