"""`ropes certificates ...`: for administrators at the command line."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from certificates import administration, catalogue, evaluation
from certificates.models import Origin
from certificates.rendering import job as rendering
from lms.db import transaction

certificates_commands = AppGroup("certificates", help="Certificates and their rules.")


@certificates_commands.command("load")
def load() -> None:
    """Publish the certificates that ship and were never published here."""
    with transaction(reads_first=True):
        new = [version.definition.slug for version in catalogue.load_library()]
    click.echo(f"Published: {', '.join(new)}." if new else "Nothing new ships.")


@certificates_commands.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish(file: Path) -> None:
    """Publish the rule in FILE: a new certificate, or the next version of one."""
    with transaction(reads_first=True):
        version = catalogue.publish(file.read_text(encoding="utf-8"), Origin.ADMINISTRATOR)
        click.echo(f"{version.definition.slug}: version {version.number}, {version.digest[:12]}.")


@certificates_commands.command("list")
def show() -> None:
    """List the certificates, their newest rule and how often they were given."""
    for row in administration.definition_rows():
        state = "retired" if row.definition.retired_at else "offered"
        lacks = f", cannot be met: {', '.join(row.unknown)}" if row.unknown else ""
        click.echo(
            f"{row.definition.slug}: version {row.version.number}, {state}, "
            f"given {row.awards} times{lacks}"
        )


@certificates_commands.command("sweep")
def sweep() -> None:
    """Evaluate everybody now, and print what was earned."""
    with transaction():
        catalogue.request_sweep("asked for at the command line")
    evaluation.run()
    rendering.run()
    click.echo("Everybody was looked at.")
