"""The files below a folder, in the order of their keys, one folder at a time."""

import os
import stat
from collections.abc import Iterator, Sequence

from pipeline.errors import KeyRefusedError
from pipeline.stores.folders import Root, open_folder


def walk(root: Root, folders: Sequence[str], start: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield key and status of each regular file below ``root/folders``.

    Of the names directly in that folder only those count that begin with ``start``. The order is that
    of the keys' code points, which is the order of their UTF-8 bytes and so that of Google Cloud
    Storage. Symbolic links are passed over. At any time the names of one folder per level are in
    memory, nothing more.
    """
    for name, known in _entries(root, folders, start):
        path = (*folders, name.removesuffix("/"))
        if stat.S_ISDIR(known.st_mode):
            yield from walk(root, path, "")
        else:
            yield "/".join(path), known


def _entries(root: Root, folders: Sequence[str], start: str) -> list[tuple[str, os.stat_result]]:
    """Return the files and folders in a folder, sorted; none where there is no folder (any more).

    Folders get a slash, which puts ``a-b`` before ``a/b``, as the whole keys are ordered.
    """
    found = []
    try:
        with open_folder(root, folders) as folder, os.scandir(folder.fd) as entries:
            for entry in entries:
                if not entry.name.startswith(start):
                    continue
                try:
                    known = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # deleted since
                if stat.S_ISDIR(known.st_mode):
                    found.append((f"{entry.name}/", known))
                elif stat.S_ISREG(known.st_mode):
                    found.append((entry.name, known))
    except (FileNotFoundError, KeyRefusedError):
        return []
    return sorted(found, key=lambda entry: entry[0])
