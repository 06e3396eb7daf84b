"""The WSGI entry point: `granian --interface wsgi wsgi:application`."""

import gc

from lms.app import create_app

application = create_app()

# What was loaded by now stays: the collector need not look through it while somebody waits for a
# page (100 ms at a time, measured), and workers that are forked share its memory.
gc.collect()
gc.freeze()
