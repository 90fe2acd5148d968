"""The ways of being told, as they are written down: addresses, choices, letters, keys."""
