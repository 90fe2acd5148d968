"""Every error that the stage raises on purpose.

::

    StageError                  exit 1
    ├── PipelineError           exit 2   the pipeline is wrong; nothing was read
    │   ├── UnknownOperationError
    │   ├── ParameterError
    │   └── UnsupportedImageError        an operation cannot take this type or channel count
    ├── DeviceError             exit 2   the device asked for cannot be used here
    │   └── DeviceLostError     exit 1   a GPU failed while at work; retryable
    ├── InputError              exit 3   the input cannot be read
    │   ├── MissingInputError
    │   ├── MissingPageError
    │   ├── DamagedInputError
    │   ├── InputChangedError            the object has been replaced since the job was accepted
    │   └── UnsupportedFormatError
    ├── LimitError              exit 4   it would not fit the limits
    │   ├── BudgetError                  it is more than a job or its user may have
    │   └── ExhaustedError               it took more of the machine than its plan had said
    ├── OutputError             exit 1   the output cannot be written
    │   ├── OutputExistsError   exit 2
    │   └── DiskFullError                retryable
    ├── StorageError            exit 1   the object store fails; retryable
    │   └── AccessError                  it refuses, and will again
    └── WorldError              exit 1   a rank died or stopped answering; retryable
        └── NodeLostError                a node of the world has gone, and no job is to blame

An error's text names the limit, the actual value, the culprit and the remedy, and is fit to be
shown to the person who made the request.
"""

from typing import ClassVar


class StageError(Exception):
    """Root of the stage's errors; raised itself only where no narrower class fits."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    @property
    def public_message(self) -> str:
        """The text that a user may see."""
        return str(self)


class PipelineError(StageError):
    """Raised when a pipeline is wrong by itself, before any image is looked at."""

    exit_code = 2


class UnknownOperationError(PipelineError):
    """Raised when a step names an operation that is not in the catalogue."""


class ParameterError(PipelineError):
    """Raised when a parameter is unknown, missing, of the wrong kind or out of its bounds."""


class UnsupportedImageError(PipelineError):
    """Raised while planning, when an operation cannot take the type or the channels it would get."""


class DeviceError(StageError):
    """Raised when the device that was asked for does not exist here or has no kernel for a step."""

    exit_code = 2


class DeviceLostError(DeviceError):
    """Raised when a GPU, its driver or its memory fails in the middle of a job."""

    exit_code = 1
    retryable = True


class InputError(StageError):
    """Raised when the input cannot be used; the subclasses say why."""

    exit_code = 3


class MissingInputError(InputError):
    """Raised when there is no file at the given place, or it may not be read."""


class MissingPageError(InputError):
    """Raised when a file has no page, plane or level of the number that was asked for."""


class DamagedInputError(InputError):
    """Raised when a file starts like an image and turns out truncated or inconsistent."""


class InputChangedError(InputError):
    """Raised when the generation of an object that a job was accepted for is gone."""


class UnsupportedFormatError(InputError):
    """Raised when a file is not an image, or an image of a kind that is not read or written."""


class LimitError(StageError):
    """Raised when the plan would exceed a limit on memory, size or depth."""

    exit_code = 4


class BudgetError(LimitError):
    """Raised before anything is decoded, when an input or a plan is more than the job's budget."""


class ExhaustedError(LimitError):
    """Raised when a rank has reached a limit of its process: on memory, processor time or files."""


class OutputError(StageError):
    """Raised when the output cannot be written; the subclasses say why."""


class OutputExistsError(OutputError):
    """Raised when the output is there already and overwriting was not asked for."""

    exit_code = 2


class DiskFullError(OutputError):
    """Raised when the device that holds the output or the scratch files has no room left."""

    retryable = True


class StorageError(StageError):
    """Raised when the object store does not answer, or sends other bytes than it has."""

    retryable = True


class AccessError(StorageError):
    """Raised when the object store refuses a request for good."""

    retryable = False


class WorldError(StageError):
    """Raised when a rank was killed, crashed or stopped answering."""

    retryable = True


class NodeLostError(WorldError):
    """Raised when a node of a world over several has gone or cannot be reached any more."""


def _family(root: type[StageError]) -> dict[str, type[StageError]]:
    """Map the names of ``root`` and of all classes below it to the classes."""
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found.update(_family(child))
    return found


def from_name(name: str, message: str) -> StageError:
    """Rebuild an error that crossed a process boundary as its class name and message.

    An unknown name becomes a plain :class:`StageError`, so that nothing from outside picks a class
    that is not in the tree above.
    """
    return _family(StageError).get(name, StageError)(message)
