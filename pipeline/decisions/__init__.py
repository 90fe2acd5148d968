"""What the service decides, without clock or I/O: each a function of what is known."""
