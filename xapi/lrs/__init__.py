"""The embedded learning record store (LRS): xAPI 1.0.3 and 2.0 over HTTP, and in process."""
