"""`ropes people ...`: people from and to files, and the first administrator."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from lms import audit
from lms.db import one_at_a_time, transaction
from lms.errors import DomainError, ForMachines
from lms.people import erasing, joining, services
from lms.people.codes import find_identity
from lms.people.exchange.apply import IMPORT, apply_plan, snapshot
from lms.people.exchange.plan import Plan, make_plan
from lms.people.exchange.read import read
from lms.people.exchange.write import export_people
from lms.people.models import Person

MOST_SHOWN = 50
commands = AppGroup("people", help="People: import, export, the first administrator.")


@commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def import_people(file: Path, dry_run: bool) -> None:
    """Add and change people as FILE (CSV) says: all of it, or nothing.

    People who are not in the file are left as they are.
    """
    sheet = read(file.read_bytes())
    with transaction():
        one_at_a_time(IMPORT)
        plan = make_plan(sheet, snapshot())
        if not plan.problems and not dry_run:
            apply_plan(plan, by=None)
    _show(plan)
    if plan.problems:
        click.echo(f"Nothing was changed: {len(plan.problems)} lines cannot be taken over.")
        sys.exit(1)
    click.echo("Nothing was changed: this was a dry run." if dry_run else "Done.")


def _show(plan: Plan) -> None:
    console = Console()
    for heading in plan.ignored:
        console.print(f"The column “{heading}” is not known and was left out.", markup=False)
    if plan.problems:
        table = Table("Line", "What is wrong")
        for problem in plan.problems[:MOST_SHOWN]:
            table.add_row(str(problem.line or ""), problem.text)
        console.print(table)
        if len(plan.problems) > MOST_SHOWN:
            console.print(f"... and {len(plan.problems) - MOST_SHOWN} more.")
        return
    table = Table("", "People")
    for label, count in (
        ("added", len(plan.added)),
        ("changed", len(plan.changed)),
        ("moved", len(plan.moved)),
        ("left as they are", plan.same),
    ):
        table.add_row(label, str(count))
    console.print(table)


@commands.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(file: Path) -> None:
    """Write everybody into FILE (CSV), in the columns that `import` reads."""
    with file.open("w", encoding="utf-8", newline="") as out:
        out.writelines(export_people())
    click.echo(f"Written: {file}")


@commands.command("administrator")
@click.argument("name")
@click.option("--email", default="", help="Their address, if they have one.")
def administrator(name: str, email: str) -> None:
    """Make NAME an administrator, and print a link that lets them in once.

    For the first one, and for when nobody can get in any more.
    """
    with transaction() as session:
        identity = find_identity(email) if email else None
        person = services.add_person(name, email) if identity is None else identity.person
        if not person.is_administrator:
            audit.note(
                "people.roles",
                f"person/{person.uid}",
                author=bool(person.is_author),
                administrator=True,
            )
        person.is_administrator = True
        person.active = True
        session.flush()
        link = joining.make_link(person, days=1, most_uses=1, person=person)
        token = joining.token_of(link)
    click.echo(f"{current_app.config['LMS_BASE_URL']}/join/{token}")
    click.echo("Open it within a day; it works once.")


@commands.command("erase")
@click.argument("uid")
@click.option("--also", multiple=True, help="What else goes, as xapi.statements. Repeat it.")
@click.confirmation_option(prompt="This cannot be undone. Remove who this person was?")
def erase_person(uid: str, also: tuple[str, ...]) -> None:
    """Remove the name, addresses and sign-in of the person with this UID."""
    known = [one.slug for one in erasing.erasable()]
    if unknown := set(also) - set(known):
        raise DomainError(
            ForMachines(
                f"There is no “{sorted(unknown)[0]}” that could be removed. There is: "
                f"{', '.join(known) or 'nothing'}."
            )
        )
    with transaction() as session:
        person = session.scalar(select(Person).where(Person.uid == uid))
        if person is None:
            raise DomainError(ForMachines(f"There is nobody with the uid {uid}."))
        erasing.erase(person, by=None, also=also)
    click.echo("Removed. What is left says nothing about who it was: see docs/privacy.md.")
