"""What the page asks for on behalf of one person."""
