"""The `ropes` command."""

from __future__ import annotations

import sys
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup, FlaskGroup, with_appcontext

from lms import migrate
from lms.app import create_app
from lms.errors import DomainError, Misconfigured
from lms.jobs.worker import run_worker


class Ropes(FlaskGroup):
    """The command group: our own commands, and those that plugins bring."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; a known fault is one clear sentence and a non-zero exit, never a traceback."""
        try:
            return super().main(*args, **kwargs)
        except (Misconfigured, DomainError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)


main = Ropes(
    name="ropes",
    create_app=create_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    help="Ropes: where employees learn the ropes of their company's network.",
)

db_commands = AppGroup("db", help="The database.")
main.add_command(db_commands)


@db_commands.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest revision of every package."""
    migrate.upgrade()
    click.echo("The database is up to date.")


@db_commands.command("draft")
@click.argument("part")
@click.argument("number", type=int)
@click.argument("message")
def db_draft(part: str, number: int, message: str) -> None:
    """For developers: draft revision NUMBER of PART's branch from its models."""
    click.echo(f"Written: {migrate.draft(part, message, number)}. Read it before you keep it.")


@main.command("work")
@with_appcontext
def work() -> None:
    """Run the worker: delivers statements, reads the network, renders certificates."""
    from flask import current_app

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    run_worker(app)
