"""Where an object is: ``gs://bucket/name``, with ``#generation`` behind it for just that one."""

from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import quote

SCHEME = "gs://"


def is_object(place: str) -> bool:
    """Whether a place is an object in a bucket, and not a path on this machine."""
    return place.startswith(SCHEME)


@dataclass(frozen=True)
class ObjectAddress:
    """An object, or one generation of it."""

    bucket: str
    name: str
    generation: int | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart; raises ValueError where it names no object."""
        bucket, _, name = url.removeprefix(SCHEME).partition("/")
        stem, mark, generation = name.rpartition("#")
        if mark and generation.isdecimal():
            return cls(bucket, stem, int(generation))
        if not (is_object(url) and bucket and name):
            raise ValueError(f"{url!r} names no object; write gs://bucket/name")
        return cls(bucket, name)

    @classmethod
    def prefix(cls, url: str) -> Self:
        """Take apart what the URLs of several objects begin with; raises as :meth:`parse`."""
        longer = cls.parse(f"{url}x")
        return longer.beside(longer.name[:-1])

    def at(self, generation: int) -> Self:
        """Return the address of one generation."""
        return replace(self, generation=generation)

    def beside(self, name: str) -> Self:
        """Return the address of another object in the same bucket."""
        return replace(self, name=name, generation=None)

    @property
    def resource(self) -> str:
        """The path of the object in the JSON API."""
        return f"/storage/v1/b/{quote(self.bucket, safe='')}/o/{quote(self.name, safe='')}"

    @property
    def uploads(self) -> str:
        """The path to which new objects of the bucket are sent."""
        return f"/upload/storage/v1/b/{quote(self.bucket, safe='')}/o"

    @property
    def listing(self) -> str:
        """The path of the list of the bucket's objects."""
        return f"/storage/v1/b/{quote(self.bucket, safe='')}/o"

    def __str__(self) -> str:
        """Return the URL."""
        pinned = f"#{self.generation}" if self.generation is not None else ""
        return f"{SCHEME}{self.bucket}/{self.name}{pinned}"
