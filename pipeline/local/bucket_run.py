"""One image through a pipeline on this machine, from or to a bucket, without any service."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_stage.errors import MissingInputError, OutputExistsError, UnsupportedFormatError
from pipeline.config import Settings
from pipeline.errors import KeyRefusedError, StoreError
from pipeline.images.folder_images import is_folder_output, named_as_folder
from pipeline.images.trees import ROOT, copy_tree
from pipeline.local.options import RunOptions, Words
from pipeline.local.places import check_input, final_place, folder_beside, publish_file
from pipeline.ports import BucketStore
from pipeline.stores.registry import store_of
from pipeline.worlds.launch import cores
from pipeline.worlds.world import Listener, World

if TYPE_CHECKING:
    from mpi_stage.contract import Access, Report

SCHEME = "gs://"
_NAME_BYTES = 6  # of chance, in that of the parts


@dataclass(frozen=True)
class _Output:
    """Where the stage writes, and what makes the output appear where it was asked for.

    ``publish`` gets the report's notes and returns them with its own.
    """

    place: str
    name: str
    scratch: str
    publish: Callable[[list[str]], list[str]]
    parts: str | None = None


class _Buckets:
    """The buckets that a run touches, reached with the same credentials."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores: dict[str, BucketStore] = {}

    def store_of(self, url: str) -> tuple[BucketStore, str]:
        """Return the store of a URL's bucket, and the key in it. Raises KeyRefusedError, StoreError."""
        bucket, _, key = url.removeprefix(SCHEME).partition("/")
        if not bucket or not key:
            raise KeyRefusedError(f"{url!r} names no object; write gs://bucket/name")
        if bucket not in self._stores:
            known = next(iter(self._stores.values()), None)
            self._stores[bucket] = self._opened(url, bucket) if known is None else known.beside(bucket)
        return self._stores[bucket], key

    def _opened(self, url: str, bucket: str) -> BucketStore:
        store = store_of(self._settings, f"{SCHEME}{bucket}")
        if not isinstance(store, BucketStore):
            raise KeyRefusedError(f"{url!r} is in no bucket")
        return store

    def close(self) -> None:
        """Close the connections, which all of them share."""
        for store in list(self._stores.values())[:1]:
            store.close()

    def pinned(self, url: str) -> str:
        """Return the address of an object as it is now; of a Zarr, that of its root document.

        Raises MissingInputError, StoreError.
        """
        store, key = self.store_of(url.rstrip("/"))
        if named_as_folder(key):
            key = f"{key}/{ROOT}"
        found = store.stat(key)
        if found is None:
            raise MissingInputError(f"there is no object {store.uri(key)}")
        return store.address(key, found.generation)

    def access(self) -> "Access":
        """Return the access to all of them."""
        return next(iter(self._stores.values())).access()


def run_in_bucket(
    source: str | Path,
    output: str | Path,
    steps: Words,
    options: RunOptions,
    *,
    overwrite: bool = False,
    on_event: Listener | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> "Report":
    """Filter ``source`` into ``output``, one of which at least is ``gs://bucket/name``.

    The ranks read and write objects themselves. As for files, the output appears when it is complete,
    and nothing else is left. Raises the stage's errors, StoreError, SettingsError, RunCancelledError.
    """
    with (
        World(options.ranks or cores()) as world,
        closing(_Buckets(Settings.load(find_service=False))) as buckets,
        ExitStack() as ends,
    ):
        given = buckets.pinned(source) if isinstance(source, str) else check_input(source)
        where = (
            _far(buckets, output, options.format, overwrite=overwrite)
            if isinstance(output, str)
            else _near(output, options.format, overwrite=overwrite)
        )
        made = ends.enter_context(where)
        request = options.request(
            steps,
            input=given,
            output=made.place,
            output_name=made.name,
            scratch=made.scratch,
            access=buckets.access(),
            parts=made.parts,
        )
        try:
            report = world.run(
                request, on_event=on_event, cancelled=cancelled, token=lambda: buckets.access().token
            )
        except BaseException:
            world.close()  # before what it has written is removed
            raise
        return replace(report, notes=made.publish(report.notes))


def plan_in_bucket(source: str, steps: Words, options: RunOptions) -> dict[str, Any]:
    """Return the plan for an object as JSON; only its header is read. Raises as :func:`run_in_bucket`."""
    with World(1) as world, closing(_Buckets(Settings.load(find_service=False))) as buckets:
        given = buckets.pinned(source)
        name = source.rstrip("/").rpartition("/")[2]
        request = options.request(steps, input=given, output="", output_name=name, access=buckets.access())
        return world.plan(request, ranks=options.ranks or cores())


def digest_in_bucket(source: str, options: RunOptions) -> str:
    """Return the digest of an object's pixels; raises as :func:`run_in_bucket`."""
    with World(1) as world, closing(_Buckets(Settings.load(find_service=False))) as buckets:
        given = buckets.pinned(source)
        request = options.request([], input=given, output="", output_name="", access=buckets.access())
        return world.digest(request, token=lambda: buckets.access().token)


@contextmanager
def _far(buckets: _Buckets, url: str, kind: str | None, *, overwrite: bool) -> Iterator[_Output]:
    """Write to an object; another name first where one is to be replaced."""
    store, key = buckets.store_of(url)
    if url.endswith("/"):
        raise UnsupportedFormatError(f"{url} is a folder; name an object in it")
    many = is_folder_output(key, kind)
    if not overwrite and _is_there(store, key, many=many):
        raise OutputExistsError(f"{url} is there already; pass --overwrite to replace it")
    folder = f"{key}.{os.urandom(_NAME_BYTES).hex()}.parts"
    written = f"{folder}/whole" if overwrite else key

    def publish(notes: list[str]) -> list[str]:
        if overwrite and many:
            copy_tree(store, written, key)
        elif overwrite and (found := store.stat(written)) is not None:
            store.copy(written, key, generation=found.generation)
        try:
            _clear(store, folder)
        except StoreError as error:  # the output is there and whole
            left = f"objects are left below {store.uri(folder)}/, which may be removed: {error}"
            return [*notes, left]
        return [note for note in notes if folder not in note]  # what ranks could not remove is gone by now

    parts = store.address(f"{folder}/x").removesuffix("x")
    try:
        with tempfile.TemporaryDirectory(prefix="halorow-") as scratch:
            yield _Output(store.address(written), key.rpartition("/")[2], scratch, publish, f"{parts}part-")
    except BaseException as error:
        with suppress(StoreError):  # what went wrong first is what to tell
            _clear(store, folder)
            if many and not overwrite and not isinstance(error, OutputExistsError):
                _clear(store, key)
        raise


def _is_there(store: BucketStore, key: str, *, many: bool) -> bool:
    """Whether there is an object, or any below its name where it would be many."""
    return any(True for _ in store.list(f"{key}/")) if many else store.stat(key) is not None


def _clear(store: BucketStore, folder: str) -> None:
    """Remove what lies in a folder of a bucket."""
    for info in list(store.list(f"{folder}/")):
        store.delete(info.key)


@contextmanager
def _near(output: Path, kind: str | None, *, overwrite: bool) -> Iterator[_Output]:
    """Write to a file of this machine."""
    final = final_place(output, kind, overwrite=overwrite)
    with folder_beside(final) as folder:
        unfinished = folder / "output"

        def publish(notes: list[str]) -> list[str]:
            publish_file(unfinished, final, overwrite=overwrite)
            return notes

        yield _Output(str(unfinished), output.name, str(folder), publish)
