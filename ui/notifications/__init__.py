"""The page *Notifications*."""
