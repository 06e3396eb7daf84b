"""Courses and their versions: an immutable published text, and a draft beside it."""
