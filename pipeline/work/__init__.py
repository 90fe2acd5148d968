"""The work on one job: claimed, computed, gone on with or given up."""
