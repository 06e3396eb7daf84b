"""The network's part of the demo company; imported by `ropes demo` only."""
