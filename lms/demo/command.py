"""`ropes demo`: build the company if it is not there, then open it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from lms.demo.build import HOME, bring_up_to_date, build, find_record, settings_for, write_record
from lms.demo.wsgi import create_demo_app
from lms.errors import Misconfigured
from lms.jobs.worker import stop_on_signal
from lms.serving import programs
from lms.serving.announce import announce
from lms.serving.ports import EVERYWHERE, LOOPBACK, check_port, find_lan_address
from lms.serving.supervise import supervise
from lms.serving.web import listen

NEEDED_BYTES = 400 * 1024 * 1024


@click.command("demo")
@click.option("--port", envvar="PORT", default=8000, show_default=True, help="Listen here.")
@click.option(
    "--lan", envvar="LAN", is_flag=True, help="Open to the local network, with a QR code."
)
@click.option("--fresh", is_flag=True, help="Build the company anew, up to today.")
@click.option("--build-only", is_flag=True, help="Build it, and do not open it.")
def demo(port: int, lan: bool, fresh: bool, build_only: bool) -> None:
    """Open a company that looks alive: 120 people, two months of learning and use."""
    instance = Path(os.environ.get("LMS_INSTANCE", "instance")).absolute()
    host = EVERYWHERE if lan else LOOPBACK
    if not build_only:
        check_port(host, port)
    address = (find_lan_address() or LOOPBACK) if lan else LOOPBACK
    base_url = f"http://{address}:{port}"
    record = None if fresh else find_record(instance)
    if record is None:
        check_room(instance)
        record = build(instance, click.echo, base_url)
    else:
        bring_up_to_date(instance, base_url, record["secret_key"])
    if build_only:
        return
    entrance = f"{base_url}/demo/{record['token']}"
    write_record(instance, with_addresses(record, base_url))
    values = settings_for(instance / HOME, base_url, record["secret_key"])
    os.environ.update({name: str(value) for name, value in values.items()})
    announce("Halden Freight is open. Stop it with Ctrl-C.", entrance, qr=lan)
    for part in record["cast"]:
        click.echo(f"    {part['role']:<14} {entrance}/{part['role']}")
    if lan:
        click.echo(
            "\nPhones in this network can open it. Learning without a network and passkeys need "
            "HTTPS with a certificate that the phone trusts; over plain HTTP they stay off."
        )
    click.echo(f"\nThe same for scripts: {instance / 'demo.json'}\n")
    app = create_demo_app()
    sys.exit(supervise(programs.everything(app, listen(host, port)), stop_on_signal()))


def check_room(instance: Path) -> None:
    """Raise Misconfigured where the disk has no room for the company."""
    instance.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(instance).free
    if free < NEEDED_BYTES:
        raise Misconfigured(
            f"The demo needs {NEEDED_BYTES // 1024**2} MB in {instance}; only "
            f"{free // 1024**2} MB are free. Make room, or choose another place with LMS_INSTANCE."
        )


def with_addresses(record: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return the record with `base_url`, and every address completed with it."""

    def whole(path: str) -> str:
        return base_url + path[path.index("/", 8) :] if path.startswith("http") else base_url + path

    done = dict(record)
    done["base_url"] = base_url
    done["sign_in"] = {
        part["role"]: whole(f"/demo/{record['token']}/{part['role']}") for part in record["cast"]
    }
    done["pages"] = {name: whole(path) for name, path in record["pages"].items()}
    for name, key in (("lrs", "endpoint"), ("webhook", "url")):
        if name in record:
            done[name] = {**record[name], key: whole(record[name][key])}
    return done
