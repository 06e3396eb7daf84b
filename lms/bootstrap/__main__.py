"""`python3 -m lms.bootstrap GOAL`. Any Python can read this file; the rest needs 3.7 for a start."""

import sys

if sys.version_info < (3, 7):  # noqa: UP036 - that is what it is for
    sys.stderr.write(
        "Ropes needs Python 3.11 or newer; this is %d.%d. "  # noqa: UP031
        "Install a newer one and name it, for example: make demo PYTHON=python3.12\n"
        % sys.version_info[:2]
    )
    sys.exit(1)

from lms.bootstrap.main import main

sys.exit(main())
