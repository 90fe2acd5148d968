"""One step of a pipeline: an operation with all its parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mpi_stage.errors import ParameterError, PipelineError
from mpi_stage.operations.declaring.declaration import Operation, Parameter, Value
from mpi_stage.operations.declaring.parameters import parameters_of
from mpi_stage.operations.spelling.suggestions import did_you_mean, shown


@dataclass(frozen=True)
class Step:
    """An operation with its parameters: checked, complete, in the declared order.

    ``border`` and ``fill`` are among them where the operation looks at neighbours. None stands for a
    parameter that the operation derives by itself.
    """

    operation: Operation
    params: dict[str, Value]


class SeveralErrors(Exception):  # noqa: N818  (it never leaves the grammar, and is not one error)
    """Raised inside the grammar, to hand over all that is wrong with a step."""

    def __init__(self, errors: list[PipelineError]) -> None:
        """Hold ``errors``, at least one."""
        super().__init__(*errors)
        self.errors = errors


def build(
    operation: Operation,
    given: Mapping[str, object],
    read: Callable[[Parameter, object], Value],
    default_border: str | None = None,
) -> Step:
    """Read what was given and fill in what was not.

    Parameters
    ----------
    operation: whose step it is.
    given: parameters as the spelling holds them.
    read: turns one of them into its checked value, or raises a ParameterError.
    default_border: for an operation that takes a border, if ``given`` states none.

    Raises
    ------
    SeveralErrors: parameters are unknown, missing, of the wrong kind or out of bounds.

    """
    declared = {parameter.name: parameter for parameter in parameters_of(operation)}
    errors: list[PipelineError] = [unknown_parameter(operation, key) for key in given if key not in declared]
    stated = {"border": default_border, **given} if default_border is not None else given
    params: dict[str, Value] = {}
    for key, parameter in declared.items():
        try:
            params[key] = read(parameter, stated[key]) if key in stated else _default(parameter)
        except ParameterError as error:
            errors.append(error)
    if errors:
        raise SeveralErrors(errors)
    return Step(operation, params)


def _default(parameter: Parameter) -> Value:
    if parameter.required:
        raise ParameterError(f"{parameter.name} must be given: {parameter.help}")
    return parameter.default


def unknown_parameter(operation: Operation, key: str) -> ParameterError:
    """Return the error for a parameter that ``operation`` does not have."""
    names = [parameter.name for parameter in parameters_of(operation)]
    takes = f"it takes {', '.join(names)}" if names else "it takes none"
    return ParameterError(f"there is no parameter {shown(key)}{did_you_mean(key, names)}; {takes}")
