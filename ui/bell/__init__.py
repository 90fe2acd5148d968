"""The bell on every page: unread notices, toasts, and what the browser shows of them."""
