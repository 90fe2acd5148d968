"""Typed access to the checked parameters of a step, for the kernels."""

from mpi_stage.image import ImageSpec
from mpi_stage.operations.declaring.declaration import Params


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


def fill_value(params: Params, spec: ImageSpec) -> float:
    """Return the value outside an image: ``fill``, rounded and clipped to the type; 0 where there is none."""
    value = params.get("fill")
    given = float(value) if isinstance(value, int | float) else 0.0
    if spec.dtype == "float32":
        return given
    return float(min(max(round(given), 0), int(spec.value_range)))
