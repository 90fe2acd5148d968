"""Images as one ZIP archive, made while it is sent: one of many objects, or those of a batch."""

import zipfile
from collections.abc import Iterable, Iterator
from itertools import count

from pipeline.images.trees import pieces_of, tree_objects
from pipeline.ports import ObjectStore

SUFFIX = ".zip"

_PIECE_BYTES = 1 << 20


class _Outlet:
    """A file object for a writer that only goes forward; what was written is taken out again."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is nothing behind this."""

    def taken(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def archive_of(store: ObjectStore, key: str) -> Iterator[bytes]:
    """Yield a ZIP archive of the objects below ``key``, in a folder of that name's last part.

    Raises as :func:`archive_of_many`.
    """
    return _archive(store, _below(store, key, key.rpartition("/")[2]))


def archive_of_many(store: ObjectStore, entries: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Yield a ZIP archive of objects, and of folders of objects, each under its name.

    They are stored as they are: images are compressed already. Neither all of it nor a whole object is held
    in memory. Raises ObjectNotFoundError, StoreError; what is raised when some of it is on its way ends it
    before its directory, so that nobody takes it for whole.
    """
    return _archive(store, (file for name, key in entries for file in _files(store, name, key)))


def unique_names(entries: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return entries with names of their own: ``cat.tif``, ``cat-2.tif``, ``cat-3.tif``."""
    taken: set[str] = set()
    numbers: dict[str, Iterator[int]] = {}
    found = []
    for name, key in entries:
        stem, dot, suffix = name.partition(".")
        # Each name goes on counting: thousands of the same one take no longer than as many others.
        going_on = numbers.setdefault(name.casefold(), count(1))
        tried = (name if number == 1 else f"{stem}-{number}{dot}{suffix}" for number in going_on)
        free = next(one for one in tried if one.casefold() not in taken)
        taken.add(free.casefold())
        found.append((free, key))
    return found


def _archive(store: ObjectStore, files: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # as it is used
        for name, key in files:
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
                for piece in pieces_of(store, key, _PIECE_BYTES):
                    file.write(piece)
                    yield outlet.taken()
    yield outlet.taken()


def _files(store: ObjectStore, name: str, key: str) -> Iterator[tuple[str, str]]:
    """Yield the objects of an entry."""
    if store.stat(key) is not None:
        yield name, key
    else:
        yield from _below(store, key, name)


def _below(store: ObjectStore, key: str, top: str) -> Iterator[tuple[str, str]]:
    for info in tree_objects(store, key):
        yield f"{top}/{info.key.removeprefix(f'{key}/')}", info.key
