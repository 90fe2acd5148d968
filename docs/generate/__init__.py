"""Makes the documentation of the operations from their declarations: ``python -m docs.generate``."""
