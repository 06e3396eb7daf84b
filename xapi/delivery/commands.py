"""`ropes lrs target ...`: the record stores that statements are sent to."""

from __future__ import annotations

import datetime as dt

import click
from flask.cli import AppGroup

from lms.db import transaction
from lms.jobs.queue import wake
from xapi.delivery import backfill
from xapi.delivery.probe import probe
from xapi.delivery.report import get_known, report
from xapi.delivery.target import VERSIONS
from xapi.delivery.writing import reading
from xapi.outbox import stores
from xapi.targets import DELIVER, taken_names

target = AppGroup("target", help="Record stores that statements are sent to.")


@target.command("add")
@click.argument("label")
@click.argument("endpoint")
@click.option("--key", required=True, help="Its Basic key, or user name.")
@click.option("--secret", prompt=True, hide_input=True, help="Asked for, where it is left out.")
@click.option("--version", type=click.Choice(VERSIONS), default=VERSIONS[0], show_default=True)
@click.option(
    "--everything",
    is_flag=True,
    help="Also what other systems store in the built-in store (always, where that stands alone).",
)
def add(label: str, endpoint: str, key: str, secret: str, version: str, everything: bool) -> None:
    """Add the record store LABEL at ENDPOINT; it gets what is recorded from now on."""
    with transaction():
        made = stores.add(
            label,
            endpoint,
            key,
            secret,
            version,
            everything=everything or stores.is_alone(),
            taken=taken_names(),
        )
        name = made.name
    click.echo(name)
    click.echo(f"To send what was recorded before: ropes lrs target send {name}", err=True)


@target.command("change")
@click.argument("name")
@click.option("--label", help="What it is called here.")
@click.option("--endpoint", help="Where it leads; the secret is then asked for again.")
@click.option("--key", help="Its Basic key, or user name.")
@click.option("--secret", help="Left out: the one it has, unless it leads elsewhere.")
@click.option("--version", type=click.Choice(VERSIONS))
@click.option("--everything/--recorded", default=None, help="What it gets: see `add`.")
def change(
    name: str,
    label: str | None,
    endpoint: str | None,
    key: str | None,
    secret: str | None,
    version: str | None,
    everything: bool | None,
) -> None:
    """Change the record store NAME; what is left out stays."""
    if endpoint is not None and secret is None:
        secret = click.prompt("Secret", hide_input=True)
    with transaction():
        found = stores.get(name)
        stores.change(
            found,
            label or found.label,
            endpoint or found.endpoint,
            key or found.key,
            secret or "",
            version or found.version,
            everything=found.everything if everything is None else everything,
            but_not=found.but_not,
        )
        wake(DELIVER)


@target.command("list")
def list_() -> None:
    """Show every record store, and how delivery to it goes."""
    for one in report():
        state = "paused" if one.paused else f"failing: {one.words}" if one.failures else "on"
        click.echo(
            f"{one.name}  {one.label}  {one.address or 'built in'}  {state}  "
            f"{one.waiting} waiting{_since(one.oldest_at)}, {one.delivered} delivered, {one.parked} refused"
        )


def _since(moment: dt.datetime | None) -> str:
    return f" since {moment:%Y-%m-%d %H:%M} UTC" if moment else ""


@target.command("test")
@click.argument("name")
def test(name: str) -> None:
    """Try address, key and version of the record store NAME."""
    with reading():
        store = stores.get(name)
        finding = probe(store)
    if not finding.well:
        raise click.ClickException(finding.words)
    click.echo(finding.words)


@target.command("pause")
@click.argument("name")
def pause(name: str) -> None:
    """Send nothing to NAME until it is resumed; what is recorded meanwhile waits."""
    with transaction():
        stores.pause(stores.get(name), True)


@target.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Go on sending to NAME."""
    with transaction():
        stores.pause(stores.get(name), False)
        wake(DELIVER)


@target.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Send nothing to NAME any more, and forget what waits for it."""
    with transaction():
        stores.remove(stores.get(name))
        wake(DELIVER)


@target.command("send")
@click.argument("name")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
@click.option("--stop", is_flag=True, help="Stop what is being sent.")
def send(name: str, since: dt.datetime | None, stop: bool) -> None:
    """Send NAME what was recorded before: everything, or since a day."""
    with transaction():
        known = get_known(name)
        if stop:
            backfill.stop(known)
            return
        backfill.start(known, since.replace(tzinfo=dt.UTC) if since else None)
        wake(DELIVER)
        click.echo(f"{backfill.progress()[known].total} statements are on their way.")
