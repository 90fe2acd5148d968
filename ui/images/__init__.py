"""The part of the page where images are uploaded or picked, and submitted."""
