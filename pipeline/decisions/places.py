"""Where the inputs and outputs of jobs may lie.

Keys are checked when a job is submitted and again by whoever works on it: the settings may have changed
in between, and a manifest is only a file. That a path leads out of a store by ``..`` or by a link is the
store's business, see ``pipeline.stores``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline import layout
from pipeline.errors import JobNotFoundError, KeyRefusedError
from pipeline.models import Manifest

USER = "{user}"
"""What stands in a root for the user's name."""

_PLAIN_NAME = re.compile(r"[\w@+-][\w.@+-]*")

OwnerOf = Callable[[str], str]
"""Returns whose job an id is. Raises JobNotFoundError."""


@dataclass(frozen=True)
class Places:
    """The roots and buckets that are open to jobs.

    Attributes
    ----------
    sources, sinks: what the keys of inputs and of outputs begin with, each ending in ``/``; the empty
        one is the whole store. ``{user}`` stands for the user's name.
    buckets: those beside the store's that inputs may lie in.
    private: whether users are kept apart, so that nobody reads what another's job made.

    """

    sources: tuple[str, ...] = ("",)
    sinks: tuple[str, ...] = ("",)
    buckets: tuple[str, ...] = ()
    private: bool = False

    def check_source(self, key: str, user: str, owner_of: OwnerOf) -> None:
        """Raise KeyRefusedError unless the inputs of a user's jobs may lie there in the store."""
        if key.startswith(layout.RECORDS):
            self._check_made(key, user, owner_of)
        elif not _below(key, self.sources, user):
            raise KeyRefusedError(_outside(key, "inputs", self.sources, "source_roots"))

    def source_roots(self, user: str) -> list[str]:
        """Return what the keys of a user's inputs begin with, of those objects that are no job's."""
        roots = (_root_of(root, user) for root in self.sources)
        return [root for root in roots if root is not None]

    def check_sink(self, key: str, job_id: str, user: str) -> None:
        """Raise KeyRefusedError unless the output of a job may be put there."""
        if key.startswith(layout.job_prefix(job_id)):
            return
        if key.startswith(layout.RECORDS):
            raise KeyRefusedError(f"{key!r} lies where the service keeps its records; choose another folder")
        if not _below(key, self.sinks, user):
            raise KeyRefusedError(_outside(key, "outputs", self.sinks, "sink_roots"))

    def check(self, manifest: Manifest, owner_of: OwnerOf) -> None:
        """Raise KeyRefusedError unless a job's input and output may be where its manifest says."""
        found = manifest.input
        if found.bucket is not None:
            if found.bucket not in self.buckets:
                raise KeyRefusedError(no_bucket(found.bucket, self.buckets))
        elif layout.owner_of_data(found.key) != manifest.id:  # else it has brought the input along
            self.check_source(found.key, manifest.user, owner_of)
        self.check_sink(manifest.output_key, manifest.id, manifest.user)

    def _check_made(self, key: str, user: str, owner_of: OwnerOf) -> None:
        """Let what was uploaded for a job, or made by it, be an input again, for its user."""
        job_id = layout.owner_of_data(key)
        if job_id is None:
            raise KeyRefusedError(f"{key!r} is a record of the service, which no job can read")
        if not self.private:
            return
        try:
            owner = owner_of(job_id)
        except JobNotFoundError:
            owner = ""
        if owner != user:
            raise KeyRefusedError(f"{key!r} is not of a job of {user}; use an input of your own")


def _below(key: str, roots: tuple[str, ...], user: str) -> bool:
    return any(key.startswith(root) for root in (_root_of(root, user) for root in roots) if root is not None)


def _root_of(root: str, user: str) -> str | None:
    """Return a root for a user; None where the name cannot be a folder's."""
    if USER not in root:
        return root
    return root.replace(USER, user) if _PLAIN_NAME.fullmatch(user) else None


def no_bucket(bucket: str, allowed: tuple[str, ...]) -> str:
    """Say that a bucket is none of those that inputs may lie in."""
    known = ", ".join(allowed) or "none"
    return f"{bucket} is no bucket that inputs may lie in ({known}); add it to the setting input_buckets"


def _outside(key: str, what: str, roots: tuple[str, ...], setting: str) -> str:
    return f"{key!r} is not below {' or '.join(roots)}, where {what} may lie; see the setting {setting}"


def is_uri(text: str | Path) -> bool:
    """Whether something names an object, and not a file."""
    return isinstance(text, str) and "://" in text
