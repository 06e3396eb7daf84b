"""The shell of every page and the design system."""
