"""Where one attempt reads and writes, and what becomes of its output."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mpi_stage.contract import Bands, Budget, Request
from mpi_stage.errors import StageError
from pipeline.errors import ObjectNotFoundError, OutputTakenError
from pipeline.images.trees import ROOT, put_tree, tree_info
from pipeline.models import Manifest, ObjectInfo, ObjectRef
from pipeline.ports import BucketStore, ObjectStore
from pipeline.worlds.renewal import Token


@dataclass(frozen=True)
class Place:
    """Where one attempt's input and output are: files of this machine, or objects that ranks reach.

    Attributes
    ----------
    input, output: paths, or addresses in a bucket.
    scratch: a folder of this machine.
    parts: address of what the parts of an output in a bucket start with.
    bucket: the store where input and output are objects, which ranks read and write themselves.
    many: whether the output is an image of many objects.
    budget: what the job may take.
    bands: where bands are kept, where they can be.

    """

    input: str
    output: str
    scratch: Path
    parts: str | None = None
    bucket: BucketStore | None = None
    many: bool = False
    budget: Budget = field(default_factory=Budget)
    bands: Bands | None = None

    def request(self, manifest: Manifest, device: str) -> Request:
        """Return what the stage is asked to do on a device. Raises StoreError where no token can be had."""
        return Request(
            job=manifest.id,
            input=self.input,
            output=self.output,
            output_name=manifest.output_name,
            steps=manifest.steps,
            device=device,
            memory_bytes=manifest.memory_bytes,
            block_rows=manifest.block_rows,
            page=manifest.page,
            plane=manifest.plane,
            level=manifest.level,
            compression=manifest.compression,
            quality=manifest.quality,
            tile=manifest.tile,
            format=manifest.format,
            digest=manifest.digest,
            scratch=str(self.scratch),
            access=self.bucket.access() if self.bucket else None,
            parts=self.parts,
            budget=self.budget,
            bands=self.bands,
        )

    @property
    def token(self) -> Token | None:
        """What gives the present token, for attempts that outlive one; None where none is needed."""
        bucket = self.bucket
        return None if bucket is None else lambda: bucket.access().token

    def collect(self, store: ObjectStore, key: str, *, banded: bool) -> ObjectInfo:
        """Return the finished output as the object ``key``, put there unless the ranks have done it.

        One that was kept in bands keeps its place among these too, until the job has ended: should this
        attempt still die, the next one need not make it again. Raises ObjectNotFoundError, StoreError,
        OSError; OutputTakenError where a newer attempt has taken these bands over.
        """
        if self.bucket is None:
            made = Path(self.output)
            if banded and self.bands is not None:
                made = _name_twice(Path(self.bands.folder) / "output", made)
            return put_tree(store, key, made) if made.is_dir() else store.put_file(key, made)
        found = tree_info(store, key) if self.many else store.stat(key)
        if found is None:
            raise ObjectNotFoundError(f"the output {key} was removed before it was committed")
        return found

    @contextmanager
    def named(self, manifest: Manifest) -> Iterator[None]:
        """Have errors of the stage name the user's files instead of where they lie."""
        try:
            yield
        except StageError as error:
            whole = self.input.partition(f"/{ROOT}")[0]
            text = str(error).replace(self.input, manifest.input_name).replace(whole, manifest.input_name)
            text = text.replace(self.output, manifest.output_name)
            raise type(error)(text.replace(str(self.scratch), "the scratch folder")) from error


def input_address(store: BucketStore, wanted: ObjectRef) -> str:
    """Return the address of an input, which may lie in another bucket."""
    found = store if wanted.bucket is None else store.beside(wanted.bucket)
    return found.address(wanted.key, wanted.generation)


def generation_of(wanted: ObjectRef) -> str:
    """Return what names the content of an input."""
    return f"{wanted.bucket or ''}/{wanted.key}#{wanted.generation}"


def _name_twice(path: Path, name: Path) -> Path:
    """Give a file another name, its only one where it cannot have two; return it, a folder's own.

    Raises OSError; OutputTakenError where it is gone.
    """
    if path.is_dir():
        return path
    try:
        name.hardlink_to(path)
    except FileNotFoundError as error:
        raise OutputTakenError(
            f"{path} is gone: a newer attempt has taken its bands over while this one was at work"
        ) from error
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        path.rename(name)
    return name
