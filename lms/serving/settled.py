"""The application as a process serves it, or as processes that serve are forked from."""

from __future__ import annotations

import gc

from flask import Flask

from lms.app import create_app


def create_settled_app() -> Flask:
    """Build the app in a process that will serve nothing else."""
    app = create_app()
    settle()
    return app


def settle() -> None:
    """Tell the garbage collector that what is loaded by now stays.

    It need not look through it while somebody waits (100 ms at a time, and a fifth of the time in
    which statements are stored, measured), and workers that are forked share its memory.
    """
    gc.collect()
    gc.freeze()
