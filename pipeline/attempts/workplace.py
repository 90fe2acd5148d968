"""Makes the places where attempts find their inputs and put their outputs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mpi_stage.contract import Bands, Budget
from pipeline import layout
from pipeline.attempts.place import Place, generation_of, input_address
from pipeline.errors import ObjectNotFoundError, StoreError
from pipeline.images.folder_images import is_folder_output
from pipeline.images.trees import ROOT, fetch_tree, remove_image, tree_of
from pipeline.models import Manifest, ObjectRef
from pipeline.ports import BucketStore, ObjectStore, Staging
from pipeline.records.leftovers import clear_parts


class Workplace:
    """Makes the places of one attempt after another, with a folder of a worker's own.

    What an earlier process of the same name left there when it was killed is removed first.
    """

    def __init__(
        self, store: ObjectStore, folder: Path, budget: Budget | None = None, *, band_bytes: int | None = None
    ) -> None:
        """Use ``folder``, which nobody else uses; ``budget`` is every job's.

        ``band_bytes`` of pixels make a band, whatever the output's size; None leaves that to the stage.
        """
        self._band_bytes = band_bytes
        self._store = store
        self._budget = budget or Budget()
        self._bucket = store if isinstance(store, BucketStore) else None
        self._staging = store if isinstance(store, Staging) else None
        self._folder = folder
        self._free: list[Path] = []
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def at(self, manifest: Manifest, attempt: int) -> Iterator[Place]:
        """Yield the input as it was when the job was accepted, and places for output and scratch.

        Of a store in a bucket they are the objects themselves; else files. Raises ObjectNotFoundError
        where the input is gone or another by now, StoreError.
        """
        scratch = self._free.pop() if self._free else Path(tempfile.mkdtemp(dir=self._folder))
        try:
            with self._objects(manifest, attempt, scratch) as place:
                yield place
        finally:
            # A folder costs a file system with a journal more than all files of a small job.
            if os.listdir(scratch):  # noqa: PTH208  (cheaper)
                shutil.rmtree(scratch, ignore_errors=True)
            else:
                self._free.append(scratch)

    @contextmanager
    def _objects(self, manifest: Manifest, attempt: int, scratch: Path) -> Iterator[Place]:
        """Yield the objects of a bucket; what earlier attempts and this one leave of parts is removed."""
        store = self._bucket
        if store is None:
            with self._files(manifest, attempt, scratch) as place:
                yield place
            return
        if attempt > 1:
            clear_parts(store, manifest.id, below=attempt)
        output = layout.output_key(manifest.id, attempt, manifest.output_name)
        many = is_folder_output(manifest.output_name, manifest.format)
        bands = [_prefix(store, layout.bands_prefix(manifest.id, number)) for number in range(attempt, 0, -1)]
        try:
            yield Place(
                input_address(store, manifest.input),
                store.address(output),
                scratch,
                _prefix(store, layout.parts_prefix(manifest.id, attempt)),
                store,
                many,
                self._budget,
                Bands(bands[0], generation_of(manifest.input), bands[1:], self._band_bytes),
            )
        except BaseException:
            with suppress(StoreError):
                clear_parts(store, manifest.id, below=attempt + 1)
                if many:
                    remove_image(store, f"{output}/{ROOT}")
            raise

    @contextmanager
    def _files(self, manifest: Manifest, attempt: int, scratch: Path) -> Iterator[Place]:
        """Yield files of this machine; the output's is removed."""
        output = self._output(manifest, attempt, scratch)
        pinned = self._pinned(manifest, attempt)
        try:
            source = str(self._input(manifest, attempt, scratch))
            bands = self._bands(manifest, attempt)
            yield Place(source, str(output), scratch, budget=self._budget, bands=bands)
        finally:
            _remove(output)
            if pinned is not None:
                pinned.unlink(missing_ok=True)

    def _bands(self, manifest: Manifest, attempt: int) -> Bands | None:
        """Return where this attempt keeps its bands, and where those before it have left theirs."""
        if self._staging is None:
            return None
        own, *earlier = [
            self._staging.folder_path(layout.bands_prefix(manifest.id, number))
            for number in range(attempt, 0, -1)
        ]
        found = [str(path) for path in earlier if path.is_dir()]
        return Bands(str(own), generation_of(manifest.input), found, self._band_bytes)

    def _input(self, manifest: Manifest, attempt: int, scratch: Path) -> Path:
        """Return a path that leads to the very object that was accepted.

        The ranks open it by themselves, a while later: by the object's own name somebody who may write
        into the store could have them read another file by then, or one outside it.
        """
        wanted = manifest.input
        tree = tree_of(wanted.key)
        try:
            if tree is not None:
                return self._folder_of(wanted, tree, scratch)
            if self._staging is not None:
                name = _pin_name(manifest, attempt)
                return self._staging.pin(wanted.key, name, generation=wanted.generation)
            path = scratch / "input"
            self._store.fetch(wanted.key, path, generation=wanted.generation)
        except ObjectNotFoundError as error:
            raise ObjectNotFoundError(
                f"the input {wanted.key} is gone or has been replaced since the job was submitted;"
                " submit it again"
            ) from error
        return path

    def _folder_of(self, wanted: ObjectRef, tree: str, scratch: Path) -> Path:
        """Return the folder of an image of many objects, whose root's document stands for all of it."""
        root = self._store.local_path(wanted.key)
        if root is None:
            path = scratch / "input"
            fetch_tree(self._store, tree, path)
            return path
        found = self._store.stat(wanted.key)
        if found is None or found.generation != wanted.generation:
            raise ObjectNotFoundError(f"{wanted.key} is another one by now")
        return root.parent

    def _pinned(self, manifest: Manifest, attempt: int) -> Path | None:
        """Return where the input is pinned; what a killed worker left of an earlier one is removed."""
        if self._staging is None:
            return None
        *earlier, pinned = [
            self._staging.staging_path(_pin_name(manifest, number)) for number in range(1, attempt + 1)
        ]
        for path in earlier:
            path.unlink(missing_ok=True)
        return pinned

    def _output(self, manifest: Manifest, attempt: int, scratch: Path) -> Path:
        """Return where the output is to go; what a killed worker left of an earlier one is removed."""
        if self._staging is None:
            return scratch / "output"
        *earlier, output = [
            self._staging.staging_path(f"{manifest.id}.{number:04d}.part") for number in range(1, attempt + 1)
        ]
        for path in earlier:
            _remove(path)
        return output


def _remove(path: Path) -> None:
    """Remove a file or a folder, as far as there is one."""
    try:
        path.unlink(missing_ok=True)
    except IsADirectoryError:
        shutil.rmtree(path, ignore_errors=True)


def _prefix(store: BucketStore, prefix: str) -> str:
    """Return what the addresses of the objects behind a prefix begin with."""
    return store.address(f"{prefix}x").removesuffix("x")


def _pin_name(manifest: Manifest, attempt: int) -> str:
    return f"{manifest.id}.{attempt:04d}.pinned"
