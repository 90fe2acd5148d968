"""The catalogue of operations: one declaration each, a file per family."""
