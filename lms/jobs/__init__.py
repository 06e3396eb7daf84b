"""Background work: wake-ups over durable rows."""
