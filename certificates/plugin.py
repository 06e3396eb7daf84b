"""What certificates adds to the suite."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from lms.plugin import Plugin

plugin = Plugin(name="certificates", label=_l("Certificates"), requires=("xapi",))
