"""Rules as data: a closed vocabulary, parsed with errors that name the place, hashed, compiled."""
