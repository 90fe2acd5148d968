"""The Python spelling of a pipeline: a function for each operation.

::

    from pipeline import ops

    client.submit("scan.tif", [ops.gaussian(sigma=2), ops.grayscale(), ops.canny(low=50, high=150)])

The names are those of the catalogue and its aliases; a parameter may be given as a Python value.
"""

from collections.abc import Callable

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.spelling.grammar import Step, make_step


def __getattr__(name: str) -> Callable[..., Step]:
    """Return the function that makes a step of the operation called ``name``."""
    if name not in __dir__():
        message = f"there is no operation {name!r}; dir(ops) lists them"
        raise AttributeError(message)

    def step(**parameters: object) -> Step:
        return make_step(name, parameters)

    step.__name__ = step.__qualname__ = name
    step.__doc__ = next(one.help for one in OPERATIONS if name in {one.name, *one.aliases})
    return step


def __dir__() -> list[str]:
    """Return the names of all operations and aliases."""
    return sorted(name for one in OPERATIONS for name in (one.name, *one.aliases))
