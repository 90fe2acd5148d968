"""Typed access to the checked parameters of a step, for the kernels."""

from mpi_stage.operations.declaration import Params


def integer(params: Params, name: str) -> int:
    """Return the integer parameter ``name``.

    Raises
    ------
    TypeError: the parameter is something else, which the grammar does not let through.

    """
    value = params[name]
    if not isinstance(value, int):
        message = f"{name} should be an integer, is {value!r}"
        raise TypeError(message)
    return value


def number(params: Params, name: str) -> float:
    """Return the number ``name`` as a float.

    Raises
    ------
    TypeError: the parameter is something else, which the grammar does not let through.

    """
    value = params[name]
    if not isinstance(value, int | float):
        message = f"{name} should be a number, is {value!r}"
        raise TypeError(message)
    return float(value)
