"""Paths: which courses a role takes, why, by when, and who is enrolled."""
