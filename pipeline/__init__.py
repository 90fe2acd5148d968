"""The service: jobs in, results out."""
