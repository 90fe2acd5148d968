"""What a rank's process sets up for itself: memory, limits, clocks, files."""
