"""Courses, paths, authoring and the player."""
