"""Keeping: statements taken out as files, removed for good, and kept no longer than is wished."""
