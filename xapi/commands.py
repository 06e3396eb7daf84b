"""`ropes lrs ...`: credentials of systems that talk to the embedded LRS."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from lms.db import transaction
from xapi.keeping.commands import export
from xapi.lrs import credentials

lrs = AppGroup("lrs", help="The embedded learning record store.")
credential = AppGroup(
    "credential", help="Keys and secrets of systems that send or read statements."
)
lrs.add_command(credential)
lrs.add_command(export)


@credential.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=(credentials.STATEMENTS_WRITE, credentials.STATEMENTS_OWN),
    show_default=True,
    type=click.Choice(credentials.SCOPES),
    help="What it may do; may be given several times.",
)
def add(name: str, scopes: tuple[str, ...]) -> None:
    """Make a credential for NAME, and show its secret this once."""
    with transaction():
        made, secret = credentials.add(name, scopes)
        key = made.key
    endpoint = current_app.config["LMS_BASE_URL"].rstrip("/") + "/xapi/"
    click.echo(f"endpoint  {endpoint}\nkey       {key}\nsecret    {secret}")
    click.echo("The secret is not kept here: note it now.", err=True)


@credential.command("list")
def list_() -> None:
    """Show every credential."""
    for one in credentials.list_all():
        state = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "in use"
        click.echo(f"{one.key}  {one.name}  [{one.scopes}]  {state}")


@credential.command("revoke")
@click.argument("key")
def revoke(key: str) -> None:
    """End the credential with this KEY, at once and for good."""
    with transaction():
        name = credentials.revoke(key).name
    click.echo(f"{name} can no longer talk to the LRS.")
