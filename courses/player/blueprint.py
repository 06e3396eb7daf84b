"""The blueprint of everything a learner opens under /courses."""

from __future__ import annotations

from flask import Blueprint

# The import name is the package: its templates and static files lie beside plugin.py.
blueprint = Blueprint("courses", "courses", url_prefix="/courses", template_folder="templates")
