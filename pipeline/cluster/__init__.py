"""The service on Ray: the actors, what starts them, and what they ask Ray for."""
