"""What the room `teams` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from lms.plugin import Plugin

part = Plugin(name="teams", label="teams")
