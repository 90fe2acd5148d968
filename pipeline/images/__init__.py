"""Images that are more than one object: folders, trees, archives."""
