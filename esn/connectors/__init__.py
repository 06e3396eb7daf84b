"""Connectors: one folder for each network. The contract is `esn.connectors.contract`."""
