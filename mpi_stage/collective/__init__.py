"""Work that no rank can do with its rows and its halo alone."""
