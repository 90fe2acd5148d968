"""Being told: what there is to tell, how each person wants it, and how it gets there once."""
