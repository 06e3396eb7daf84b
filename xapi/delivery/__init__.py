"""Delivery: from the outbox to every target, whatever the network does."""
