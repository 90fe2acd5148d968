"""The catalogue: every declaration there is, in the order of the index, and so of what people see."""

from mpi_stage.operations import index
from mpi_stage.operations.declaring.declaration import Operation

OPERATIONS: tuple[Operation, ...] = tuple(dict.fromkeys(map(index.find_public, index.PUBLIC)))
"""What a pipeline may name."""

INTERNAL: tuple[Operation, ...] = tuple(map(index.find, index.INTERNAL))
"""What only a plan inserts, through an operation's ``prepare``, or a collective carries out inside itself."""
