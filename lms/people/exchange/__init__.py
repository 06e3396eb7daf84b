"""People in and out as CSV: read a file, plan what it would change, apply all of it or nothing."""
