"""One rank: what it is told, and one request carried out."""
