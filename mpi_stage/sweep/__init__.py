"""One rank's rows through the steps of one pass."""
