"""The outbox: what has been said, and who has still to hear it."""
