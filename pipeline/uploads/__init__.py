"""Inputs that a browser sends straight to the store, piece by piece; jobs have them by their key."""
