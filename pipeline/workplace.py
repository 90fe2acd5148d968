"""Where an attempt finds its input and puts its output, on this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from mpi_stage.contract import Request
from mpi_stage.errors import StageError
from pipeline.errors import ObjectNotFoundError
from pipeline.models import Manifest
from pipeline.ports import ObjectStore


@runtime_checkable
class _Staging(Protocol):
    """A store that takes a file over without copying it, if it lies where this says."""

    def staging_path(self, name: str) -> Path:
        """Return where to write a file that ``put_file`` will move."""


@dataclass(frozen=True)
class Place:
    """The files of one attempt."""

    input: Path
    output: Path
    scratch: Path

    def request(self, manifest: Manifest) -> Request:
        """Return what the stage is asked to do."""
        return Request(
            job=manifest.id,
            input=str(self.input),
            output=str(self.output),
            output_name=manifest.output_name,
            steps=manifest.steps,
            device=manifest.device,
            memory_bytes=manifest.memory_bytes,
            block_rows=manifest.block_rows,
            page=manifest.page,
            plane=manifest.plane,
            level=manifest.level,
            compression=manifest.compression,
            quality=manifest.quality,
            tile=manifest.tile,
            format=manifest.format,
            scratch=str(self.scratch),
        )

    @contextmanager
    def named(self, manifest: Manifest) -> Iterator[None]:
        """Have errors of the stage name the user's files instead of where they lie on this machine."""
        try:
            yield
        except StageError as error:
            text = str(error).replace(str(self.input), manifest.input_name)
            text = text.replace(str(self.output), manifest.output_name)
            raise type(error)(text.replace(str(self.scratch), "the scratch folder")) from error


class Workplace:
    """Makes the files of one attempt after another below a folder of a worker's own.

    What an earlier process of the same name left there when it was killed is removed first.
    """

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        """Use ``folder``, which nobody else uses."""
        self._store = store
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def at(self, manifest: Manifest, attempt: int) -> Iterator[Place]:
        """Yield the input as it was when the job was accepted, and places for output and scratch.

        Raises ObjectNotFoundError where the input is gone or another by now, StoreError.
        """
        scratch = self._folder / f"{manifest.id}.{attempt:04d}"
        scratch.mkdir()
        output = self._output(manifest, attempt, scratch)
        try:
            yield Place(self._input(manifest, scratch), output, scratch)
        finally:
            output.unlink(missing_ok=True)
            try:
                scratch.rmdir()
            except OSError:  # something was left in it
                shutil.rmtree(scratch, ignore_errors=True)

    def _input(self, manifest: Manifest, scratch: Path) -> Path:
        wanted = manifest.input
        path = self._store.local_path(wanted.key)
        if path is None:
            path = scratch / "input"
            self._store.fetch(wanted.key, path, generation=wanted.generation)
            return path
        found = self._store.stat(wanted.key)
        if found is None or found.generation != wanted.generation:
            raise ObjectNotFoundError(
                f"the input {wanted.key} has been replaced since the job was submitted; submit it again"
            )
        return path

    def _output(self, manifest: Manifest, attempt: int, scratch: Path) -> Path:
        """Return where the output is to go; what a killed worker left of an earlier one is removed."""
        if not isinstance(self._store, _Staging):
            return scratch / "output"
        *earlier, output = [
            self._store.staging_path(f"{manifest.id}.{number:04d}.part") for number in range(1, attempt + 1)
        ]
        for path in earlier:
            path.unlink(missing_ok=True)
        return output
