"""The card types that ship: text, choice and mission."""
