"""The pages of the jobs."""
