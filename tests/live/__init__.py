"""Tests against live servers of others; long, and only in `make test-all`."""
