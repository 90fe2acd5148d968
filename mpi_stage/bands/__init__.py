"""Bands: the units of durable progress in the output of a large job, and what becomes of them."""
