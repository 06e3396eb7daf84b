"""The address in the terminal, with a QR code for a phone."""

from __future__ import annotations

import io

import click
import qrcode


def qr_text(address: str) -> str:
    """Return a QR code of the address, drawn with half blocks for a dark or light terminal."""
    code = qrcode.QRCode(border=2, error_correction=qrcode.constants.ERROR_CORRECT_L)
    code.add_data(address)
    drawn = io.StringIO()
    code.print_ascii(out=drawn, invert=True)
    return drawn.getvalue()


def announce(heading: str, address: str, qr: bool = False) -> None:
    """Tell the person at the terminal where the product is to be opened."""
    click.echo(f"\n{heading}\n\n    {address}\n")
    if qr:
        click.echo(qr_text(address))
