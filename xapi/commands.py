"""`ropes lrs ...`: credentials of systems that talk to the embedded LRS."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from lms.db import transaction
from xapi.delivery.commands import target
from xapi.keeping.commands import export, keep_for, remove_person
from xapi.lrs import credentials
from xapi.lrs.calls import ANSWERED_VERSIONS
from xapi.lrs.models import LrsCredential

lrs = AppGroup("lrs", help="The embedded learning record store.")
credential = AppGroup(
    "credential", help="Keys and secrets of systems that send or read statements."
)
lrs.add_command(credential)
lrs.add_command(export)
lrs.add_command(keep_for)
lrs.add_command(remove_person)
lrs.add_command(target)


def endpoint() -> str:
    """Return the address at which the store answers."""
    return str(current_app.config["LMS_BASE_URL"]).rstrip("/") + "/xapi/"


@credential.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=credentials.USUAL,
    show_default=True,
    type=click.Choice(credentials.SCOPES),
    help="What it may do; may be given several times.",
)
@click.option(
    "--version",
    type=click.Choice(sorted(ANSWERED_VERSIONS.values())),
    default=ANSWERED_VERSIONS[1],
    show_default=True,
    help="In which version of xAPI its calls are answered that name none.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    help="A site whose pages may use it, like https://content.example.com; several are given one "
    "by one.",
)
def add(name: str, scopes: tuple[str, ...], version: str, origins: tuple[str, ...]) -> None:
    """Make a credential for NAME, and show its secret this once."""
    with transaction():
        made, secret = credentials.add(name, scopes, version=int(version[0]), origins=origins)
        key = made.key
    _show(key, secret)


@credential.command("list")
def list_() -> None:
    """Show every credential: what it may do, and when it was used last."""
    for one in credentials.list_all():
        used = f"last used {one.last_used_on:%Y-%m-%d}" if one.last_used_on else "never used"
        state = f"revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "in use"
        pages = f"  in pages of {one.origins}" if one.origins else ""
        click.echo(f"{one.key}  {one.name}  [{one.scopes}]  {state}  {used}{_old(one)}{pages}")


@credential.command("rotate")
@click.argument("key")
@click.option(
    "--days",
    type=click.IntRange(0, credentials.OLD_DAYS_MOST),
    default=credentials.OLD_DAYS,
    show_default=True,
    help="How long the old secret works beside the new one; 0 ends it at once.",
)
def rotate(key: str, days: int) -> None:
    """Give the credential with this KEY a new secret, and show it this once."""
    with transaction():
        changed, secret = credentials.rotate(key, days)
        until = changed.old_until
    _show(key, secret)
    if until is not None:
        click.echo(f"The old secret works until {until:%Y-%m-%d %H:%M} UTC.", err=True)


@credential.command("origins")
@click.argument("key")
@click.argument("origins", nargs=-1)
def origins(key: str, origins: tuple[str, ...]) -> None:
    """Name the sites whose pages may use the credential with this KEY; none: no site's may."""
    with transaction():
        changed = credentials.allow_origins(key, origins)
        kept = changed.origins.split() or ["No page of another site may use it."]
    click.echo("\n".join(kept))


@credential.command("end-old")
@click.argument("key")
def end_old(key: str) -> None:
    """End the old secret of the credential with this KEY, at once."""
    with transaction():
        name = credentials.end_old(key).name
    click.echo(f"Only the new secret of {name} works from now on.")


@credential.command("revoke")
@click.argument("key")
def revoke(key: str) -> None:
    """End the credential with this KEY, at once and for good."""
    with transaction():
        name = credentials.revoke(key).name
    click.echo(f"{name} can no longer talk to the LRS.")


def _old(one: LrsCredential) -> str:
    if not credentials.old_works(one) or one.old_until is None:
        return ""
    used = f"used on {one.old_used_on:%Y-%m-%d}" if one.old_used_on else "not used since"
    return f"  old secret until {one.old_until:%Y-%m-%d %H:%M} UTC, {used}"


def _show(key: str, secret: str) -> None:
    click.echo(f"endpoint  {endpoint()}\nkey       {key}\nsecret    {secret}")
    click.echo("The secret is not kept here: note it now.", err=True)
