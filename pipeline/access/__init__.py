"""Who may see and reach what."""
