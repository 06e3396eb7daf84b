"""Measures over the ledger: what certificates and missions may ask of the network."""
