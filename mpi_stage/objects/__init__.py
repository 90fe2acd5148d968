"""Objects in Google Cloud Storage: read by ranges, written in parts, by every rank for itself."""
