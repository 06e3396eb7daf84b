"""Experience API: recording statements, delivering them, and the embedded learning record store."""
