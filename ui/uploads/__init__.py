"""Files that a browser sends straight to the store: the part of the page, and the routes that it talks to."""
