"""Managers' views of the people they answer for."""
