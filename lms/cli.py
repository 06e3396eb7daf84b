"""The `ropes` command: our own commands, and those that plugins bring."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, ScriptInfo, with_appcontext
from sqlalchemy.exc import OperationalError

from lms import migrate, private
from lms.app import create_app
from lms.demo.command import demo
from lms.doctor import examine
from lms.errors import DomainError, Misconfigured
from lms.jobs.worker import run_worker, stop_on_signal
from lms.serving import programs
from lms.serving.announce import announce
from lms.serving.ports import LOOPBACK, check_port
from lms.serving.settled import settle
from lms.serving.supervise import supervise
from lms.serving.web import listen

NO_ROOM_BYTES = 1_000_000
NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


class Ropes(click.Group):
    """The command group. A plugin's commands are found once the application has been made."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; a known fault is one clear sentence and a non-zero exit, never a traceback."""
        private.begin()
        kwargs.setdefault(
            "obj",
            ScriptInfo(create_app=create_app, set_debug_flag=False, load_dotenv_defaults=False),
        )
        try:
            return super().main(*args, **kwargs)
        except (Misconfigured, DomainError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except (OSError, OperationalError, sqlite3.OperationalError) as error:
            sentence = in_a_sentence(error)
            if sentence is None:
                raise
            click.echo(sentence, err=True)
            sys.exit(2)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands; where the application cannot be made, our own, and say why."""
        names = set(super().list_commands(ctx))
        try:
            names |= set(ctx.ensure_object(ScriptInfo).load_app().cli.commands)
        except Misconfigured as error:
            click.echo(f"Commands of plugins are left out: {error}\n", err=True)
        return sorted(names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return our own command of that name, else a plugin's."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        app = ctx.ensure_object(ScriptInfo).load_app()
        return app.cli.get_command(ctx, cmd_name)


def in_a_sentence(error: Exception) -> str | None:
    """Say what the machine refused; None where the error is of another kind.

    SQLite calls a full disk by several names, so the disk itself is asked.
    """
    instance = Path(os.environ.get("LMS_INSTANCE", "instance")).absolute()
    place = next(one for one in (instance, *instance.parents) if one.exists())
    number = error.errno if isinstance(error, OSError) else None
    disk = shutil.disk_usage(place)
    if number == errno.ENOSPC or (disk.total and disk.free < NO_ROOM_BYTES):
        return f"The disk is full: nothing can be written in {instance}. Make room and try again."
    named = getattr(error, "filename", None) or instance
    if number in NOT_OURS or (number == errno.ENOENT and Path(named).is_relative_to(instance)):
        return f"{named} cannot be opened by this user. Name another place with LMS_INSTANCE."
    if isinstance(error, OSError):
        return None
    return "The database does not answer. Check LMS_DATABASE_URL and that the server runs."


main = Ropes(name="ropes", help="Ropes: where employees learn the ropes of their network.")
db_commands = AppGroup("db", help="The database.")
main.add_command(db_commands)
main.add_command(demo)


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
    """Run the worker: does what waits to be done, until SIGTERM."""
    log_to_terminal()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    settle()
    run_worker(app, stop_on_signal())


@main.command("serve")
@click.option("--host", envvar="HOST", default=LOOPBACK, show_default=True, help="Listen here.")
@click.option("--port", envvar="PORT", default=8000, show_default=True, help="Listen here.")
@click.option(
    "--upgrade", envvar="UPGRADE", is_flag=True, help="Bring the database up to date first."
)
def serve(host: str, port: int, upgrade: bool) -> None:
    """Run the product: the web server and a worker, until SIGTERM."""
    log_to_terminal()
    check_port(host, port)
    # Where nobody says how people reach it, links lead to where it listens.
    base_url = os.environ.get("LMS_BASE_URL") or f"http://{LOOPBACK}:{port}"
    app = create_app({"LMS_BASE_URL": base_url})
    with app.app_context():
        migrate.check_not_newer()
        if upgrade or migrate.is_new():
            migrate.upgrade()
        if migrate.pending():
            raise Misconfigured(
                "The database is not up to date. Save a copy of it, then run `ropes db upgrade`, "
                "or start with `ropes serve --upgrade`."
            )
    announce("Ropes is starting. Stop it with Ctrl-C.", base_url)
    settle()
    sys.exit(supervise(programs.everything(app, listen(host, port)), stop_on_signal()))


@main.command("doctor")
@with_appcontext
def doctor() -> None:
    """Say in words what is misconfigured; exit 1 if anything is."""
    wrong = 0
    for what, finding in examine():
        wrong += finding is not None
        mark = click.style("ok", fg="green") if finding is None else click.style("!!", fg="red")
        click.echo(f"{mark}  {what}" + (f": {finding}" if finding else ""))
    click.echo("All is well." if not wrong else f"{wrong} to look at.")
    sys.exit(1 if wrong else 0)


def log_to_terminal() -> None:
    """Write what happens to standard error, one line each, for whatever runs the program."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("huey", "alembic", "weasyprint", "fontTools"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


if __name__ == "__main__":
    main()
