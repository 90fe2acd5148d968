"""How the catalogue's list shows operations: what people look for them by."""

from mpi_stage.operations.index import find


def entry(name: str) -> str:
    """Return an operation's line: label, name and other names, family and the first sentence about it."""
    operation = find(name)
    names = ", ".join((operation.name, *operation.aliases))
    return f"{operation.label} ({names}) · {operation.family} · {summary(operation.help)}"


def summary(text: str) -> str:
    """Return the first sentence of a help, without its full stop."""
    return text.partition(". ")[0].rstrip(".")
