"""The WSGI entry point: `granian --interface wsgi wsgi:application`."""

from lms.serving.settled import create_settled_app

application = create_settled_app()
