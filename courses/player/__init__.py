"""The player: one card a screen, on a phone, with or without a network."""
