"""Where a Zarr's shards and documents are written: what the sink needs, and a folder of this machine."""

import os
from typing import Protocol

from mpi_stage.errors import OutputExistsError
from mpi_stage.formats.zarr.tree import FolderTree, Tree
from mpi_stage.process.files import output_errors


class ZarrPlace(Protocol):
    """Takes a Zarr that several ranks write, each its own shards.

    Attributes
    ----------
    name: for messages.
    """

    name: str

    def claim(self) -> None:
        """Begin, on one rank. Raises OutputExistsError, DiskFullError, OutputError, StorageError."""

    def folder(self, path: str) -> str:
        """Return the folder in which the shards of the array at ``path`` ("" for the root) are made."""

    def shard_done(self, path: str) -> None:
        """Take over a shard's file, which is whole. Raises StorageError."""

    def wait(self) -> None:
        """Return when all shards that were taken over are where readers find them. Raises StorageError."""

    def tree(self, path: str) -> Tree:
        """Return an array that all ranks have written, for reading."""

    def document(self, key: str, data: bytes, *, last: bool = False) -> None:
        """Write a document; with the ``last`` one the Zarr is complete. Raises as :meth:`claim`."""

    def close(self) -> None:
        """Release what is held; safe to call at any time."""


class ZarrInFolder:
    """A folder of this machine, written in place."""

    def __init__(self, path: str) -> None:
        """Prepare to write the folder ``path``; touches nothing."""
        self.name = path

    def claim(self) -> None:
        """Make the folder; raises OutputExistsError, DiskFullError, OutputError."""
        with output_errors(self.name):
            try:
                os.mkdir(self.name)  # noqa: PTH102 (the path is a plain string throughout)
            except FileExistsError as error:
                raise OutputExistsError(f"{self.name} is there already; choose another name.") from error

    def folder(self, path: str) -> str:
        """Return the array's own folder."""
        return f"{self.name}/{path}" if path else self.name

    def shard_done(self, path: str) -> None:
        """Do nothing: it lies where it belongs."""

    def wait(self) -> None:
        """Do nothing: see :meth:`shard_done`."""

    def tree(self, path: str) -> Tree:
        """Return the files of an array."""
        return FolderTree(self.folder(path))

    def document(self, key: str, data: bytes, *, last: bool = False) -> None:  # noqa: ARG002 (the protocol's)
        """Write a document; raises DiskFullError, OutputError."""
        path = f"{self.name}/{key}"
        with output_errors(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 (plain strings)
            with open(path, "xb") as file:  # noqa: PTH123 (as above)
                file.write(data)

    def close(self) -> None:
        """Do nothing: no file stays open."""
