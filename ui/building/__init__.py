"""The part of the page where a pipeline is built."""
