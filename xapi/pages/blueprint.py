"""Where the pages join: every address begins with /xapi, every endpoint with `xapi.`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext as _l

_PACKAGE = Path(__file__).parent.parent

blueprint = Blueprint(
    "xapi",
    "xapi",
    root_path=str(_PACKAGE),
    url_prefix="/xapi",
    template_folder="templates",
    static_folder="static",
)

# What stands at the top of each page, in this order: endpoint and label.
PLACES = (
    ("xapi.delivery", _l("Delivery")),
    ("xapi.statements", _l("Browse")),
    ("xapi.keeping", _l("Keeping")),
    ("xapi.list_credentials", _l("Credentials")),
)


@blueprint.context_processor
def _say_places() -> dict[str, Any]:
    return {"xapi_places": PLACES}
