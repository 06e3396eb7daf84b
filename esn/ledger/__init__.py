"""The ledger: normalising deliveries into acts, linking accounts, retention."""
