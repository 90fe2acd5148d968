"""What lies in the store after the work: reconciled, kept for its time, removed."""
