"""Tests."""

from __future__ import annotations

import os

# Servers of tests listen on loopback, and are spoken to by processes of their own, too.
os.environ.setdefault("LMS_PRIVATE_NETWORKS", "127.0.0.0/8, ::1/128")
