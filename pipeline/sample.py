"""The photograph that comes along, for a first try on the page and for the demonstration."""

from importlib.resources import files

NAME = "coffee.jpg"


def photograph() -> bytes:
    """Return the file's bytes."""
    return files("pipeline").joinpath("samples", NAME).read_bytes()
