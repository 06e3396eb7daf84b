"""Requests that mean harm, by what they attack: each refused in words, and nothing of it kept."""
