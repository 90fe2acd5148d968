"""Every error that the service raises on purpose.

::

    HalorowError                   exit 1
    ├── SettingsError              exit 2   the settings are wrong; all faults are listed at once
    ├── JobError
    │   ├── InvalidJobError        exit 2   the request cannot be accepted
    │   ├── QuotaError             retryable: too much in the queue; ``retry_after_s`` says when to come back
    │   ├── JobNotFoundError       exit 2
    │   ├── JobStateError          exit 2   the job is not in a state that allows this
    │   ├── JobFailedError         the job ended without a result; exit code as the stage gave it
    │   ├── RunCancelledError      the work was stopped because somebody asked for it
    │   ├── StaleFenceError        a newer attempt holds the job; this one must not commit
    │   └── OutputTakenError       retryable: a newer attempt has taken over what this one has made
    ├── StoreError
    │   ├── ObjectNotFoundError    exit 3
    │   ├── ObjectExistsError      a create-only write found the object there
    │   ├── KeyRefusedError        exit 2   a key or URI outside the store
    │   ├── ChecksumError          retryable
    │   ├── OffsetError            bytes of an upload that do not go on where it stands; ``offset`` says where
    │   └── StoreUnavailableError  retryable
    ├── DeliveryError              a letter did not arrive; ``may_pass`` says whether to try again
    │   └── WebhookError           a webhook was not told
    ├── ChoiceError                exit 2   somebody cannot be told in the way that they chose
    ├── MissingExtraError          exit 2   what was asked for needs an extra that is not installed
    ├── RoleError                  exit 2   something that operators alone may do
    ├── LinkError                  a signed link is altered, expired or for another method
    ├── QueueUnavailableError      retryable: Redis does not answer
    ├── PresetError                exit 2   a preset cannot be saved
    └── ServiceError               a part of the service did not start or stopped
        ├── StoreNotSharedError    a world spans nodes that do not all see the folder that is the store
        └── PreviewsBusyError      retryable: all processes for previews are at work

Errors of the stage (``mpi_stage.errors``) pass through the service unchanged.
"""

from typing import ClassVar


class HalorowError(Exception):
    """Root of the service's errors."""

    exit_code: int = 1
    retryable: ClassVar[bool] = False

    @property
    def public_message(self) -> str:
        """The text that a user may see."""
        return str(self)


class SettingsError(HalorowError):
    """Raised at start-up with every setting that is wrong."""

    exit_code = 2


class JobError(HalorowError):
    """Raised when something cannot be done with a job."""


class InvalidJobError(JobError):
    """Raised on submission, when a request cannot become a job."""

    exit_code = 2


class QuotaError(JobError):
    """Raised on submission, when the queue is full, or the user's part of it."""

    retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        """Say in how many seconds another try may succeed."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class JobNotFoundError(JobError):
    """Raised when there is no manifest for an id."""

    exit_code = 2


class JobStateError(JobError):
    """Raised when a job's state does not allow what was asked."""

    exit_code = 2


class JobFailedError(JobError):
    """Raised to whoever waits for a job that ended without a result."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        """Carry the failure's text and the exit code the stage gave it."""
        super().__init__(message)
        self.exit_code = exit_code


class RunCancelledError(JobError):
    """Raised when a run was stopped before its end because somebody asked for it."""


class StaleFenceError(JobError):
    """Raised before a commit, when a newer attempt has taken the job over."""


class OutputTakenError(JobError):
    """Raised before a commit, when a newer attempt has taken over the bands that the output was made in."""

    retryable = True


class StoreError(HalorowError):
    """Raised when the object store cannot do what was asked."""


class ObjectNotFoundError(StoreError):
    """Raised when there is no object under a key."""

    exit_code = 3


class ObjectExistsError(StoreError):
    """Raised when a create-only write finds an object under its key."""


class KeyRefusedError(StoreError):
    """Raised when a key or URI leads out of the store or has another scheme."""

    exit_code = 2


class ChecksumError(StoreError):
    """Raised when what was read or written does not have the checksum the store states."""

    retryable = True


class OffsetError(StoreError):
    """Raised when what is sent of an upload does not go on where the upload stands."""

    def __init__(self, message: str, *, offset: int) -> None:
        """Say how many bytes there are, after which the sender is to go on."""
        super().__init__(message)
        self.offset = offset


class StoreUnavailableError(StoreError):
    """Raised when the store does not answer, or answers that it cannot now."""

    retryable = True


class MissingExtraError(HalorowError):
    """Raised when what was asked for needs an extra of halorow that is not installed."""

    exit_code = 2


class RoleError(HalorowError):
    """Raised when somebody asks for what operators alone may see or do."""

    exit_code = 2


class LinkError(HalorowError):
    """Raised when a signed link is altered, expired, or used with another method."""


class DeliveryError(HalorowError):
    """Raised when a letter did not arrive, or nobody knows whether it did."""

    def __init__(self, message: str, *, may_pass: bool = False, unclear: bool = False) -> None:
        """Say whether another try may help, and whether the letter may have arrived all the same."""
        super().__init__(message)
        self.may_pass = may_pass
        self.unclear = unclear


class WebhookError(DeliveryError):
    """Raised when a webhook could not be told."""


class ChoiceError(HalorowError):
    """Raised when somebody cannot be told in the way that they chose."""

    exit_code = 2


class QueueUnavailableError(HalorowError):
    """Raised when Redis does not answer."""

    retryable = True


class ServiceError(HalorowError):
    """Raised when a part of the service does not start or has stopped."""


class StoreNotSharedError(ServiceError):
    """Raised when a world spans nodes that do not all see the folder that is the store."""


class PreviewsBusyError(ServiceError):
    """Raised when a preview is asked for and all processes for previews work for others."""

    retryable = True


class PresetError(HalorowError):
    """Raised when a preset cannot be saved: its name, its size, or how many there are."""

    exit_code = 2
