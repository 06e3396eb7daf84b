"""The signed webhook: any network, by a ten-line sender."""
