"""Images that are many objects below one name, as a Zarr is in a store: put, copied, fetched as one.

The root's document makes the image: it is put last and removed first, so that whoever finds it finds all
of the image. An :class:`~pipeline.models.ObjectRef` to such an image is one to that document.
"""

from collections.abc import Iterator
from pathlib import Path

from mpi_stage.errors import DamagedInputError
from pipeline.errors import ObjectNotFoundError
from pipeline.models import ObjectInfo, ObjectRef
from pipeline.ports import BucketStore, ObjectStore

ROOT = "zarr.json"
"""The document at the root of a Zarr."""

RANGE_BYTES = 8 << 20
"""Of an object in a bucket that are held in memory at once, where all of it is read."""


def tree_of(key: str) -> str | None:
    """Return the name below which an image's objects lie, given the key of an object; None of other ones."""
    folder, _, name = key.rpartition("/")
    return folder if folder and name == ROOT else None


def tree_objects(store: ObjectStore, key: str) -> list[ObjectInfo]:
    """Return the objects of the image below ``key``, the root's document last.

    Raises ObjectNotFoundError where that is missing, StoreError.
    """
    found = list(store.list(f"{key}/"))
    root = [info for info in found if info.key == f"{key}/{ROOT}"]
    if not root:
        raise ObjectNotFoundError(f"there is no object {key}/{ROOT}, and so no image")
    return [*(info for info in found if info.key != root[0].key), *root]


def tree_info(store: ObjectStore, key: str) -> ObjectInfo:
    """Return what is known of the root's document of the image below ``key``, with the size of all of it.

    Raises as :func:`tree_objects`.
    """
    found = tree_objects(store, key)
    return found[-1].model_copy(update={"size_bytes": sum(info.size_bytes for info in found)})


def tree_files(folder: Path) -> list[Path]:
    """Return the files of an image that is a folder, the root's document last.

    Raises DamagedInputError for anything that is neither a file nor a folder.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    odd = next((path for path in found if path.is_symlink() or not path.is_file()), None)
    if odd is not None:
        raise DamagedInputError(f"{odd} is neither a file nor a folder; a Zarr has no others, so remove it")
    root = folder / ROOT
    return [*(path for path in found if path != root), *(path for path in found if path == root)]


def put_tree(store: ObjectStore, key: str, folder: Path, *, create_only: bool = False) -> ObjectInfo:
    """Put the files of an image; return what :func:`tree_info` does. Raises as ``put_file``."""
    size_bytes, made = 0, None
    for path in tree_files(folder):
        made = store.put_file(f"{key}/{path.relative_to(folder)}", path, create_only=create_only)
        size_bytes += made.size_bytes
    if made is None or made.key != f"{key}/{ROOT}":
        raise ObjectNotFoundError(f"{folder} has no {ROOT}: it is no Zarr 3")
    return made.model_copy(update={"size_bytes": size_bytes})


def fetch_tree(store: ObjectStore, key: str, folder: Path) -> None:
    """Copy an image's objects to files below ``folder``. Raises ObjectNotFoundError, StoreError."""
    for info in tree_objects(store, key):
        path = folder / info.key.removeprefix(f"{key}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        store.fetch(info.key, path, generation=info.generation)


def copy_tree(store: ObjectStore, key: str, target: str) -> None:
    """Copy the image below ``key`` to ``target``, in place of what is there.

    Objects cannot change all at once: meanwhile there is no image at ``target``. Of a store that is no
    bucket the objects must be files of this machine. Raises ObjectNotFoundError, StoreError.
    """
    made = tree_objects(store, key)
    wanted = [target + info.key.removeprefix(key) for info in made]
    store.delete(wanted[-1])
    for info in list(store.list(f"{target}/")):
        store.delete(info.key)
    for info, place in zip(made, wanted, strict=True):
        if isinstance(store, BucketStore):
            store.copy(info.key, place, generation=info.generation)
        elif (path := store.local_path(info.key)) is not None:
            store.put_file(place, path)
        else:
            store.put_bytes(place, store.get_bytes(info.key))


def remove_image(store: ObjectStore, key: str) -> None:
    """Remove an image: one object, or of the root's document all that it stands for. Raises StoreError."""
    store.delete(key)
    tree = tree_of(key)
    if tree is not None:
        for info in list(store.list(f"{tree}/")):
            store.delete(info.key)


def reference_to(info: ObjectInfo, bucket: str | None = None) -> ObjectRef:
    """Return a reference to an object as it is now."""
    return ObjectRef(key=info.key, size_bytes=info.size_bytes, generation=info.generation, bucket=bucket)


def pieces_of(store: ObjectStore, key: str, piece_bytes: int) -> Iterator[bytes]:
    """Yield an object's bytes, piece by piece where it is a file of this machine or in a bucket.

    Raises StoreError.
    """
    path = store.local_path(key)
    if path is None and isinstance(store, BucketStore):
        yield from _ranges_of(store, key)
        return
    if path is None:
        yield store.get_bytes(key)
        return
    with path.open("rb") as file:
        while piece := file.read(piece_bytes):
            yield piece


def _ranges_of(store: BucketStore, key: str) -> Iterator[bytes]:
    """Yield the bytes of one generation of an object in a bucket. Raises ObjectNotFoundError, StoreError."""
    info = store.stat(key)
    if info is None:
        raise ObjectNotFoundError(f"there is no object {key} (any more)")
    for first in range(0, info.size_bytes, RANGE_BYTES):
        size_bytes = min(RANGE_BYTES, info.size_bytes - first)
        yield store.read_range(key, first, size_bytes, generation=info.generation)
