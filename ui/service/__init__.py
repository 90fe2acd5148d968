"""The page's one connection to the service, and who looks at the page."""
