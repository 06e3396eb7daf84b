"""Set-up: makes this folder ready to run, and says in one sentence why where it cannot.

Run by every target of the Makefile, with the system's own Python and nothing installed:

    python3 -m lms.bootstrap product | check | tests  [--port 8000]

`product` is what `make demo` and `make serve` need, `check` what the checkers need, `tests`
everything. Each step remembers what it was made from (the lock file, the Python), so a second run
only compares. A step that was killed half-way is simply done again.

It uses the standard library only, and syntax that older Pythons can read, so that they get as far
as the sentence that says they are too old.
"""
