"""The WSGI entry point, for another web server than that of `ropes serve`."""

from lms.serving.settled import create_settled_app

application = create_settled_app()
