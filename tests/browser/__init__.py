"""A package, so that what its tests share ends with them and before others begin."""
