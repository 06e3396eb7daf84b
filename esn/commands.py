"""`ropes esn ...`: networks from the command line."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from esn.connectors import services
from esn.connectors.matrix.registration import MATCHES, registration, settings_from
from esn.connectors.status import statuses
from esn.ledger.accounts import carry_over, link_by_hand
from esn.ledger.backfill import backfill, read_again
from lms.db import transaction
from lms.errors import ForMachines, NotFound, from_kept

esn_commands = AppGroup("esn", help="Networks: connect them, read them back, link accounts.")


@esn_commands.command("list")
def list_() -> None:
    """Show every connected network and how it does."""
    for one in statuses():
        label = one.connector.label
        click.echo(f"{one.connector.uid}  {one.connector.kind}  {label}: {one.sentence}")


@esn_commands.command("add-webhook")
@click.argument("label")
def add_webhook(label: str) -> None:
    """Connect a network by signed webhook, and show its secret this once."""
    with transaction():
        connector, secret = services.add_connector("webhook", label)
        uid = connector.uid
    click.echo(f"uid      {uid}\naddress  {_address(uid)}\nsecret   {secret}")
    click.echo("The secret is not shown again: note it now.", err=True)


@esn_commands.command("add-matrix")
@click.argument("label")
@click.option("--homeserver", required=True, help="Its address, like https://matrix.example.com.")
@click.option("--server-name", required=True, help="What follows the colon in user ids.")
@click.option("--match", type=click.Choice(MATCHES), default="email", show_default=True)
def add_matrix(label: str, homeserver: str, server_name: str, match: str) -> None:
    """Connect a Matrix homeserver; `registration` then makes the file for it."""
    settings = settings_from(homeserver, server_name, match)
    with transaction():
        connector, _secret = services.add_connector("matrix", label, None, **settings)
        uid = connector.uid
    click.echo(f"uid  {uid}\nNext: ropes esn registration {uid} > ropes.yaml")


@esn_commands.command("registration")
@click.argument("uid")
def registration_(uid: str) -> None:
    """Print the registration file for a Matrix homeserver; it holds secrets."""
    with transaction():
        connector = services.get_connector(uid)
        if connector.kind != "matrix":
            raise NotFound(ForMachines("Only a Matrix homeserver wants a registration file."))
        text = registration(connector)
    click.echo(text, nl=False)


@esn_commands.command("secret")
@click.argument("uid")
def secret(uid: str) -> None:
    """Give a new secret and show it this once; the old one stays valid for a week."""
    with transaction():
        made = services.rotate_secret(services.get_connector(uid))
    click.echo(f"secret   {made}")


@esn_commands.command("switch")
@click.argument("uid")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch(uid: str, state: str) -> None:
    """Take what a network sends, or refuse it."""
    with transaction():
        services.switch(services.get_connector(uid), state == "on")
    click.echo(f"It is switched {state}.")


@esn_commands.command("backfill")
@click.argument("uid")
@click.option("--again", is_flag=True, help="From the beginning; nothing counts twice.")
def backfill_(uid: str, again: bool) -> None:
    """Read a network's past now, from where it was left."""
    with transaction():
        connector = services.get_connector(uid)
        if again:
            read_again(connector)
        connector_id = connector.id
    backfill(connector_id)
    with transaction():
        trouble = from_kept(services.get_connector(uid).trouble)
    click.echo(trouble or "The past is read; the worker brings it into the ledger.")


@esn_commands.command("link")
@click.argument("uid")
@click.argument("account")
@click.argument("person")
def link(uid: str, account: str, person: str) -> None:
    """Link ACCOUNT (its id in the network) with PERSON (e-mail address or employee number)."""
    with transaction():
        person_id = services.person_by_key(person)
        if person_id is None:
            raise NotFound(
                ForMachines("Nobody here has that address or number. Nothing was changed.")
            )
        link_by_hand(services.get_connector(uid), account, person_id, None)
    carry_over()
    click.echo("Linked. What the account did before counts from now on.")


def _address(uid: str) -> str:
    base: str = current_app.config["LMS_BASE_URL"]
    return f"{base.rstrip('/')}/esn/intake/{uid}"
