"""The demo company: what `ropes demo` opens. Imported by that command only, never by the app."""
