"""The author's pages: writing a course in the browser, from the first card to a new version."""
