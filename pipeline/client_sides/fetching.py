"""The side of a client that hands results out, as records, links, files and archives."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from mpi_stage.contract import Request
from pipeline.client_sides.following import Following
from pipeline.errors import JobFailedError, JobStateError, ObjectNotFoundError
from pipeline.images.archive import SUFFIX as ARCHIVE
from pipeline.images.archive import archive_of, archive_of_many, unique_names
from pipeline.images.folder_images import check_folder_place
from pipeline.images.trees import ROOT, fetch_tree, tree_objects, tree_of
from pipeline.models import Failure, JobState, Result
from pipeline.ports import BucketStore
from pipeline.previews.requests import tile_request
from pipeline.submitting.budgets import job_budget
from pipeline.submitting.outside import SCHEME, bucket_of

MOST_OF_A_BATCH = 10_000
"""So many of the newest jobs are looked through for those of a batch."""


class Fetching(Following):
    """Hands out what jobs have made, and what they were made of."""

    def result(self, job_id: str) -> Result:
        """Return the result. Raises JobNotFoundError, JobFailedError, JobStateError if there is none yet."""
        ending = self._parts.records.ending(self._gate.manifest(job_id).id)
        if isinstance(ending, Result):
            return ending
        if isinstance(ending, Failure):
            raise JobFailedError(ending.message, ending.exit_code)
        if ending is not None:
            raise JobFailedError(f"job {job_id} was cancelled; `halorow retry {job_id}` starts it again")
        raise JobStateError(f"job {job_id} has not ended; `halorow watch {job_id}` waits for it")

    def link(self, job_id: str, *, life_s: int | None = None) -> str:
        """Return a signed link to the result; to an archive of it where it is many objects.

        Raises as :meth:`result`, and JobStateError for many objects in a bucket, which has no archives.
        """
        result, store = self.result(job_id), self._parts.store
        key, name, tree = result.output.key, result.output_name, tree_of(result.output.key)
        if tree is not None:
            if isinstance(store, BucketStore):
                raise JobStateError(
                    f"the result of job {job_id} is many objects below {store.uri(tree)}, and a link is to "
                    f"one; `halorow result {job_id} --output {name}` downloads them, `Client.links` gives all"
                )
            key, name = tree, f"{name}{ARCHIVE}"
        return store.sign(key, life_s=life_s or self._settings.link_life_s, filename=name)

    def links(self, job_id: str, *, life_s: int | None = None) -> dict[str, str]:
        """Return a signed link to each object of the result, by its name. Raises as :meth:`result`."""
        result, store = self.result(job_id), self._parts.store
        tree = tree_of(result.output.key)
        if tree is None:
            return {result.output_name: self.link(job_id, life_s=life_s)}
        life_s = life_s or self._settings.link_life_s
        names = {info.key: info.key.removeprefix(f"{tree}/") for info in tree_objects(store, tree)}
        return {name: store.sign(key, life_s=life_s) for key, name in names.items()}

    def input_link(self, job_id: str, *, life_s: int | None = None) -> str:
        """Return a signed link to the input. Raises JobNotFoundError."""
        manifest = self.manifest(job_id)
        lies_in, bucket = self._parts.store, manifest.input.bucket
        store = lies_in if bucket is None else bucket_of(lies_in, bucket)
        return store.sign(
            manifest.input.key, life_s=life_s or self._settings.link_life_s, filename=manifest.input_name
        )

    def input_uri(self, job_id: str) -> str:
        """Return the URI of a job's input, as a further job can have it. Raises JobNotFoundError."""
        found = self.manifest(job_id).input
        if found.bucket is not None:
            return f"{SCHEME}{found.bucket}/{found.key}"
        return self._parts.store.uri(tree_of(found.key) or found.key)

    def download(self, job_id: str, path: Path | str) -> None:
        """Copy the result to a local file, which appears when it is whole.

        A result of many objects becomes a folder, or an archive where the file's name ends in ``.zip``.
        Raises as :meth:`result`, OutputExistsError where a folder is to appear and something is there.
        """
        result, store = self.result(job_id), self._parts.store
        tree = tree_of(result.output.key)
        path = Path(path)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            if tree is None:
                store.fetch(result.output.key, part, generation=result.output.generation)
            elif path.suffix.lower() == ARCHIVE:
                with part.open("xb") as file:
                    file.writelines(archive_of(store, tree))
            else:
                check_folder_place(path, overwrite=False)
                fetch_tree(store, tree, part)
            part.replace(path)
        finally:
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)

    def open_object(self, key: str) -> Path | None:
        """Return where an object lies on this machine, None where it does not.

        Of an image of many objects it is a folder. Raises ObjectNotFoundError, and KeyRefusedError for
        what a person may not read.
        """
        self._may_read(key)
        path = self._parts.store.local_path(key)
        if path is None and (root := self._parts.store.local_path(f"{key}/{ROOT}")) is not None:
            return root.parent
        if path is None and self._parts.store.stat(key) is None:
            raise ObjectNotFoundError(f"there is no object {key}")
        return path

    def archive(self, key: str) -> Iterator[bytes]:
        """Yield an archive of the many objects below a key.

        Raises ObjectNotFoundError, StoreError, and KeyRefusedError for what a person may not read.
        """
        self._may_read(key)
        return archive_of(self._parts.store, key)

    def batch(self, batch: str) -> list[tuple[str, str]]:
        """Return the results of a batch that are there, as names, each once, and keys.

        Only jobs that the board still knows are found. Raises QueueUnavailableError, StoreError.
        """
        jobs = [one for one in self.jobs(limit=MOST_OF_A_BATCH) if one.batch == batch]
        ended = [
            self._parts.records.result(one.id) for one in reversed(jobs) if one.state is JobState.SUCCEEDED
        ]
        found = [(one.output_name, one.output.key) for one in ended if one is not None]
        return unique_names((name, tree_of(key) or key) for name, key in found)

    def archive_of_batch(self, batch: str) -> Iterator[bytes]:
        """Yield an archive of all results of a batch.

        Raises as :meth:`batch`, and ObjectNotFoundError where there are none.
        """
        entries = self.batch(batch)
        if not entries:
            raise ObjectNotFoundError(f"no job of the batch {batch} has a result (any more)")
        return archive_of_many(self._parts.store, entries)

    def tile_request(self, job_id: str, *, after: bool) -> tuple[Request, str]:
        """Return what the stage is asked for tiles of a job's input, or of its result; and their generation.

        Raises JobNotFoundError, JobFailedError, JobStateError, ObjectNotFoundError, StoreError.
        """
        manifest = self._gate.manifest(job_id)
        budget = job_budget(self._settings)
        if not after:
            return tile_request(self._parts, budget, manifest.input, manifest)
        return tile_request(self._parts, budget, self.result(job_id).output, None)
