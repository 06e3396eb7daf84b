"""The enterprise social network: connectors, intake, the usage ledger."""
