"""Queue, status and events on Redis."""
