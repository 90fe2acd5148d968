"""From a URI to the store it names."""

import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.config import Settings
from pipeline.errors import KeyRefusedError
from pipeline.extras import require
from pipeline.ports import ObjectStore
from pipeline.stores.local import LocalStore
from pipeline.stores.memory import MemoryStore

_memory_stores: dict[str, MemoryStore] = {}
_memory_lock = threading.Lock()


def open_store(
    uri: str,
    *,
    link_secret: bytes,
    link_base_url: str,
    gcs_endpoint: str | None = None,
    gcs_credentials_file: Path | None = None,
    durable: bool = True,
) -> ObjectStore:
    """Return the store of a URI: a folder, a bucket, or memory.

    Parameters
    ----------
    uri: ``file:///folder`` or a plain path; ``gs://bucket/prefix``; ``memory://name``, which is the same
        store for the same name within this process.
    link_secret: signs the links of a folder's or memory's objects.
    link_base_url: where the HTTP route for a folder's links is.
    gcs_endpoint: the address of Google Cloud Storage, if not Google's own.
    gcs_credentials_file: the key of a service account, JSON; the machine's own credentials by default.
    durable: for a folder, whether writing waits until the data is on the disk.

    Raises
    ------
    KeyRefusedError
        If the URI has another scheme, names another machine, or lacks the folder or bucket.
    MissingExtraError
        If it is a bucket's, and the extra `gcs` is not installed.
    StoreError
        If the folder cannot be made, or there are no credentials for the bucket.

    """
    folder = local_folder(uri)
    if folder is not None:
        return LocalStore(folder, link_secret, link_base_url, durable=durable)
    parts = urlsplit(uri)
    if parts.scheme == "gs":
        return _bucket(uri, gcs_endpoint, gcs_credentials_file)
    if parts.scheme == "memory":
        return _memory(uri.removeprefix("memory://").strip("/"), link_secret)
    raise KeyRefusedError(
        f"no store has the scheme of {uri!r}; write file:///folder, a plain path, gs://bucket/prefix or memory://name"
    )


def store_of(settings: Settings, uri: str | None = None) -> ObjectStore:
    """Return the store that the settings name, or another one reached in the same way. Raises StoreError."""
    return open_store(
        settings.store_uri if uri is None else uri,
        link_secret=settings.link_secret.get_secret_value().encode(),
        link_base_url=settings.base_url,
        gcs_endpoint=settings.gcs_endpoint or None,
        gcs_credentials_file=settings.gcs_credentials_file,
    )


def local_folder(uri: str) -> Path | None:
    """Return the folder of this machine that a store is in; None for one that is in none.

    Raises KeyRefusedError for a ``file:`` URI that names no folder of this machine.
    """
    if "://" not in uri and not uri.startswith("file:"):
        return Path(uri).expanduser()
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    if parts.netloc not in {"", "localhost"} or not parts.path.strip("/") or parts.query or parts.fragment:
        raise KeyRefusedError(f"{uri!r} names no folder of this machine; write file:///folder")
    return Path(unquote(parts.path))


def _bucket(uri: str, endpoint: str | None, credentials_file: Path | None) -> ObjectStore:
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    if not bucket:
        raise KeyRefusedError(f"{uri!r} names no bucket; write gs://bucket/prefix")
    require("google.cloud.storage", uri)
    # Google's libraries take a good part of a second to import; who uses a folder need not wait for them.
    from pipeline.stores.gcs import GcsStore  # noqa: PLC0415
    from pipeline.stores.gcs_client import connect  # noqa: PLC0415

    client = connect(endpoint=endpoint, credentials_file=credentials_file)
    return GcsStore(bucket, prefix, client=client, endpoint=endpoint)


def _memory(name: str, link_secret: bytes) -> MemoryStore:
    with _memory_lock:
        if name not in _memory_stores:
            _memory_stores[name] = MemoryStore(link_secret, name)
        return _memory_stores[name]
