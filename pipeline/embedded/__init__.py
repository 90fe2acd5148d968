"""The whole service on one machine: its programs, its folder, its end."""
