"""An image of many objects as one ZIP archive, made while it is sent."""

import zipfile
from collections.abc import Iterator

from pipeline.ports import ObjectStore
from pipeline.trees import pieces_of, tree_objects

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

    The objects are stored as they are: those of a Zarr are compressed already. Neither all of it nor a
    whole object is held in memory where objects are files of this machine. Raises ObjectNotFoundError,
    StoreError.
    """
    top = key.rpartition("/")[2]
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # as it is used
        for info in tree_objects(store, key):
            entry = zipfile.ZipInfo(f"{top}/{info.key.removeprefix(f'{key}/')}")
            with archive.open(entry, "w", force_zip64=True) as file:
                for piece in pieces_of(store, info.key, _PIECE_BYTES):
                    file.write(piece)
                    yield outlet.taken()
    yield outlet.taken()
