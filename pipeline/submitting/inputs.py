"""The input of a job that is submitted: an object that is there, or a file that becomes one."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from mpi_stage.errors import MissingInputError
from pipeline import layout
from pipeline.decisions.declared import by_bytes, declared_pixels, pixels_of
from pipeline.decisions.places import is_uri
from pipeline.errors import InvalidJobError, ObjectExistsError
from pipeline.images.folder_images import is_folder_image
from pipeline.images.trees import ROOT, put_tree, reference_to, tree_info, tree_of
from pipeline.models import ObjectInfo, ObjectRef
from pipeline.parts import Parts
from pipeline.submitting.orders import Order
from pipeline.submitting.outside import found_at, is_outside, reference


def name_of(given: str | Path) -> str:
    """Return what an input is called, folders and all."""
    text = str(given).rstrip("/")
    return unquote(text) if is_uri(given) else text


def found_input(parts: Parts, order: Order) -> ObjectRef | None:
    """Return the input as the object that it is already; None where it is to be uploaded."""
    if order.data is not None or not is_uri(order.input):
        return None
    if is_outside(parts.store, str(order.input)):
        return reference(parts.store, str(order.input), parts.places.buckets)
    key = parts.store.key_of(str(order.input).rstrip("/"))
    # First of all: whether there is such an object is nothing to those who may not read it.
    parts.places.check_source(key, order.user, parts.records.owner)
    return reference_to(found_at(parts.store, key, str(order.input)))


def counted_pixels(parts: Parts, order: Order, found: ObjectRef | None) -> int:
    """Return the pixels that the input counts as; of objects in a bucket and of folders, their bytes."""
    if order.data is not None:
        return declared_pixels(BytesIO(order.data), len(order.data))
    inside = found is not None and found.bucket is None
    whole = found is not None and inside and tree_of(found.key) is None
    path = parts.store.local_path(found.key) if found is not None and whole else None
    if found is not None and path is None:
        return by_bytes(found.size_bytes)
    chosen = path or Path(order.input)
    with suppress(OSError):
        if chosen.is_dir():
            return by_bytes(sum(one.stat().st_size for one in chosen.rglob("*") if one.is_file()))
        return pixels_of(chosen) if chosen.is_file() else 1
    return 1


def uploaded_input(parts: Parts, job_id: str, order: Order, name: str) -> ObjectRef:
    """Return the input as an object, uploaded if an earlier submission with its key has not done so."""
    key = layout.upload_key(job_id, name)
    try:
        if order.data is not None:
            return reference_to(parts.store.put_bytes(key, order.data, create_only=True))
        path = Path(order.input)
        if path.is_dir():
            return reference_to(_put_folder(parts, key, path))
        if not path.is_file():
            raise MissingInputError(f"there is no file {path}; check the path")
        return reference_to(parts.store.put_file(key, path, create_only=True))
    except ObjectExistsError:
        # An earlier submission with the same idempotency key got as far as this.
        found = parts.store.stat(key)
        if found is None:
            raise
        return reference_to(found)


def _put_folder(parts: Parts, key: str, path: Path) -> ObjectInfo:
    """Upload an image that is a folder; one that an earlier submission has begun, once more."""
    if not is_folder_image(path):
        raise InvalidJobError(f"{path} is a folder and no Zarr; name one image in it")
    if parts.store.stat(f"{key}/{ROOT}") is not None:
        return tree_info(parts.store, key)
    return put_tree(parts.store, key, path)
