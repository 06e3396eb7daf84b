"""Courses as folders of readable text: reading them, writing them, and the library that ships."""
