"""Pages of people: sign-in, one's own settings, administration."""
