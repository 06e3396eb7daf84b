"""The LRS's part of the demo company; imported by `ropes demo` only."""
