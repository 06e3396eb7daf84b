"""What the room `notices` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from lms.plugin import Plugin

part = Plugin(name="notices", label="notices", models=("lms.notices.models",))
