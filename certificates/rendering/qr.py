"""QR codes as PNG. A fixed mask is cheaper than trying all eight, and the same bytes every time."""

from __future__ import annotations

import base64
import io

import qrcode
from PIL import Image

BORDER_MODULES = 4  # the quiet zone that ISO/IEC 18004 asks for
MASK = 3
MODULE_PIXELS = 8
INK = 0x1B, 0x24, 0x30


def png(text: str) -> bytes:
    """Return a QR code of `text` with middle error correction."""
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        border=BORDER_MODULES,
        mask_pattern=MASK,
    )
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    size = len(matrix)
    image = Image.new("P", (size, size))
    image.putpalette([255, 255, 255, *INK])
    image.putdata([1 if dark else 0 for row in matrix for dark in row])
    out = io.BytesIO()
    # Some viewers blur small pictures when they enlarge them.
    image = image.resize((size * MODULE_PIXELS, size * MODULE_PIXELS), Image.Resampling.NEAREST)
    image.save(out, "PNG", bits=1, optimize=False)
    return out.getvalue()


def data_uri(text: str) -> str:
    """Return the QR code as an address that holds the picture itself."""
    return f"data:image/png;base64,{base64.b64encode(png(text)).decode()}"
