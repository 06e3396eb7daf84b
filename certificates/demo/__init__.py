"""The certificates' part of the demo company; imported by `ropes demo` only."""
