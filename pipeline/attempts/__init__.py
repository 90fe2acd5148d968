"""Attempts at jobs: claimed, computed, gone on with or given up."""
