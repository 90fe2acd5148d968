"""What one person may see of the jobs."""

from collections.abc import Callable
from pathlib import Path

from pipeline.access.refusals import log_refusal
from pipeline.decisions.people import Person
from pipeline.decisions.places import is_uri
from pipeline.errors import InvalidJobError, KeyRefusedError
from pipeline.models import Event, Manifest
from pipeline.ports import Subscription
from pipeline.records.jobs import JobRecords, not_there


class Gate:
    """Shows a person their own jobs; an operator, or a program without a person, everybody's.

    Another's job is not there: what is said of it is what is said of an id that nobody has.
    """

    def __init__(self, records: JobRecords, person: Person | None = None) -> None:
        """Guard ``records``."""
        self._records = records
        self.person = person

    def manifest(self, job_id: str) -> Manifest:
        """Return the manifest of a job that may be seen. Raises JobNotFoundError."""
        found = self._records.manifest(job_id)
        self.check(job_id, found.user)
        return found

    def check(self, job_id: str, user: str) -> None:
        """Raise JobNotFoundError unless a job of ``user`` may be seen."""
        if self.person is None or self.person.may_see(user):
            return
        error = not_there(job_id)
        log_refusal("job", error, job=job_id, person=self.person.name)
        raise error

    def pass_by(self, job_id: str) -> None:
        """Raise JobNotFoundError unless the job may be seen; a program's questions cost nothing."""
        if self.person is not None:
            self.manifest(job_id)

    def narrowed(self, user: str | None) -> str | None:
        """Return whose jobs to list where those of ``user`` (None: everybody's) are asked for."""
        if self.person is None or self.person.is_operator:
            return user
        return self.person.name

    def submitter(self, user: str | None, default: str) -> str:
        """Return whose a new job is. Raises InvalidJobError where somebody submits in another's name."""
        if self.person is None:
            return user or default
        if user is None or self.person.may_see(user):
            return user or self.person.name
        error = InvalidJobError(f"{self.person.name} cannot submit a job in the name of {user}")
        log_refusal("submission", error, person=self.person.name)
        raise error

    def check_text(self, given: str | Path) -> None:
        """Raise KeyRefusedError where a person names a file of this machine, which is not theirs.

        A Path comes from the program that acts for them, and is for it to answer for.
        """
        if self.person is not None and isinstance(given, str) and not is_uri(given):
            error = KeyRefusedError(f"{given!r} is no URI of an object; upload the file, or name an object")
            log_refusal("submission", error, person=self.person.name)
            raise error

    def ear(self, subscription: Subscription) -> Subscription:
        """Return a subscription that hears of jobs that may be seen alone."""
        return subscription if self.person is None else _Ear(subscription, self.person.may_see)


class _Ear:
    """A subscription that skips what is not for its listener."""

    def __init__(self, inner: Subscription, may_hear: Callable[[str], bool]) -> None:
        self._inner = inner
        self._may_hear = may_hear

    def next(self, timeout_s: float) -> Event | None:
        """Return the next event for this listener, None if none came within ``timeout_s`` seconds."""
        event = self._inner.next(timeout_s)
        return event if event is None or self._may_hear(event.status.user) else None

    def close(self) -> None:
        """Stop listening."""
        self._inner.close()
