"""A pipeline looked at while it is being built: a reduced copy, and a crop at full resolution."""
