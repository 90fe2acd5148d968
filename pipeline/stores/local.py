"""A store in a local folder: ``objects`` holds the objects, ``staging`` what is being written."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from urllib.parse import unquote

from pipeline.errors import (
    ChecksumError,
    KeyRefusedError,
    ObjectExistsError,
    ObjectNotFoundError,
)
from pipeline.models import ObjectInfo
from pipeline.stores.folders import (
    Root,
    copy_all,
    open_folder,
    open_object,
    prune,
    read_all,
    store_error,
    unreadable_source,
    write_all,
)
from pipeline.stores.gathering import Gathering
from pipeline.stores.keys import check_key, check_prefix
from pipeline.stores.links import check_link_request, link_url, sign_link
from pipeline.stores.listing import walk
from pipeline.stores.staging import NEW_FILE, Staging, generation_of, info_of

_SOURCE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class LocalStore:
    """Objects as files below ``root/objects``.

    An object is written under another name in ``root/staging``, put on the disk, and then linked or
    renamed into place: nobody ever sees a part of one, and of many create-only writers one wins.
    A key cannot be both an object and the folder of other objects here (KeyRefusedError).

    Parameters
    ----------
    root: made if it is not there; may itself be a symbolic link.
    link_secret: signs the links.
    link_base_url: where the HTTP route for links is, such as ``http://localhost:8501``.
    durable: False leaves it to the system when data reaches the disk: faster, and an object may be
        lost with the machine (not with the process).

    Raises
    ------
    StoreError
        If the folders cannot be made.

    """

    def __init__(self, root: Path, link_secret: bytes, link_base_url: str, *, durable: bool = True) -> None:
        self._root = root.resolve()
        self._link_secret = link_secret
        self._link_base_url = link_base_url
        self._durable = durable
        with self._mapped("making the folders"):
            (self._root / "objects").mkdir(parents=True, exist_ok=True)
            (self._root / "staging").mkdir(exist_ok=True)
            self._objects = Root(self._root / "objects")
        self._staging: Staging = Staging(self._root / "staging", self._objects, durable=durable)

    def __repr__(self) -> str:
        """Show where the objects are; never the secret."""
        return f"LocalStore({str(self._root)!r})"

    def staging_path(self, name: str) -> Path:
        """Return where a process may write a file that ``put_file`` will move instead of copy.

        ``name`` must be one segment and unique among those who write. After a successful
        ``put_file`` the file is gone from here, and nobody may write to it any more.
        """
        return self._staging.path(name)

    def folder_path(self, prefix: str) -> Path:
        """Return where a process may write files whose names begin with ``prefix``, which ends in a slash.

        They are objects as they come into being: for what nobody reads before it is known to be whole.
        """
        folders, start = check_prefix(prefix)
        if start or not folders:
            raise KeyRefusedError(f"{prefix!r} is no folder of this store")
        return self._objects.path.joinpath(*folders)

    def sweep_staging(self, older_than_s: float, keep: Callable[[str], bool] = lambda _: False) -> int:
        """Remove what writers that died have left in ``staging``; return how many files that were.

        Files of names for which ``keep`` is true stay; for others ``older_than_s`` must be longer than any
        writing takes.
        """
        with self._mapped("clearing the staging folder"):
            return self._staging.sweep(older_than_s, keep)

    @contextmanager
    def together(self) -> Iterator["LocalStore"]:
        """Yield this store for putting many objects: they appear when the block ends, and are on the disk.

        Until then not even who has put them finds them. Raises in the end as ``put_bytes``, when all those
        objects are there that could be made; nothing is there where the block raises.
        """
        if not self._durable:
            yield self
            return
        gathered = copy(self)
        gathered._staging = gathering = Gathering(self._root / "staging", self._objects)  # noqa: SLF001  (itself)
        try:
            yield gathered
            with self._mapped("writing many objects"):
                gathering.end()
        finally:
            with self._mapped("clearing up"):
                gathering.drop()

    def put_bytes(
        self, key: str, data: bytes, *, create_only: bool = False, durable: bool = True
    ) -> ObjectInfo:
        """Write an object, on the disk on return unless ``durable`` is off.

        Raises ObjectExistsError if ``create_only`` and there.
        """
        segments = check_key(key)
        with self._mapped(f"writing {key}"), self._staging.new_file() as (fd, staged):
            write_all(fd, data)
            return self._staging.commit(segments, staged, fd, create_only=create_only, durable=durable)

    def put_file(self, key: str, path: Path, *, create_only: bool = False) -> ObjectInfo:
        """Write an object from a local file: moved if it lies in ``staging``, else copied.

        Raises as ``put_bytes``, and ChecksumError if the file changes while it is copied.
        """
        segments = check_key(key)
        try:
            source = os.open(path, _SOURCE)
        except OSError as error:
            raise unreadable_source(path, error) from error
        try:
            with self._mapped(f"writing {key}"):
                self._refuse_early(key, create_only=create_only)
                if self._staging.holds(path, source):
                    return self._staging.commit(segments, path, source, create_only=create_only)
                with self._staging.new_file() as (fd, staged):
                    _copy_unchanged(source, fd, path)
                    return self._staging.commit(segments, staged, fd, create_only=create_only)
        finally:
            os.close(source)

    def get_bytes(self, key: str) -> bytes:
        """Read a whole object. Raises ObjectNotFoundError, ChecksumError if the file is cut short."""
        with self._opened(key) as (fd, known):
            data = read_all(fd, known.st_size)
        if len(data) != known.st_size:
            raise ChecksumError(
                f"{key} has {known.st_size} bytes, but only {len(data)} could be read; try again"
            )
        return data

    def fetch(self, key: str, path: Path, *, generation: str | None = None) -> None:
        """Copy an object to a local file, which appears under its name once it is whole.

        Raises ObjectNotFoundError, also when the object has another ``generation`` by now.
        """
        part = path.with_name(f".fetch-{uuid.uuid4().hex}")
        with self._opened(key) as (source, known):
            present = generation_of(known)
            if generation is not None and generation != present:
                raise ObjectNotFoundError(
                    f"{key} has generation {present}, not {generation}: it was replaced"
                )
            try:
                target = os.open(part, NEW_FILE, 0o666)
                try:
                    copied = copy_all(source, target, known.st_size)
                finally:
                    os.close(target)
                if copied != known.st_size:
                    raise ChecksumError(f"{key} has {known.st_size} bytes, but only {copied} could be read")
                part.replace(path)
            except OSError as error:
                raise store_error(error, f"copying {key} to {path}", path.parent) from error
            finally:
                part.unlink(missing_ok=True)

    def pin(self, key: str, name: str, *, generation: str) -> Path:
        """Give an object the further name ``name`` in ``staging``, and return that.

        The name ends in ``.pinned``. It leads to the file that was checked, whatever is put under the key
        or on the way to it later.
        Where the system allows no such name for somebody else's file, the object's own is returned.
        Raises ObjectNotFoundError, also when the object has another ``generation`` by now.
        """
        with self._opened(key) as (fd, known):
            if generation_of(known) != generation:
                raise ObjectNotFoundError(
                    f"{key} has generation {generation_of(known)}, not {generation}: it was replaced"
                )
            with self._mapped(f"pinning {key}"):
                linked = self._staging.link(fd, name)
            return linked or self._objects.path.joinpath(*check_key(key))

    def local_path(self, key: str) -> Path | None:
        """Return the file that holds the object, None if there is none. It must not be written to."""
        return self._objects.path.joinpath(*check_key(key)) if self.stat(key) else None

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None where there is none."""
        try:
            with self._opened(key) as (_, known):
                return info_of(key, known)
        except ObjectNotFoundError:
            return None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with ``prefix``, in order of their keys, as it finds them."""
        folders, start = check_prefix(prefix)
        with self._mapped(f"listing {prefix}"):
            for key, known in walk(self._objects, folders, start):
                yield info_of(key, known)

    def delete(self, key: str, *, durable: bool = True) -> None:
        """Remove an object and the folders that it leaves empty; nothing there is no error.

        With ``durable`` off the folders stay too.
        """
        *folders, name = check_key(key)
        with self._mapped(f"deleting {key}"):
            try:
                with open_folder(self._objects, folders) as folder:
                    os.unlink(name, dir_fd=folder.fd)
                    if self._durable and durable:
                        folder.sync()
            except (FileNotFoundError, IsADirectoryError):
                return
            if durable:
                prune(self._objects, folders)

    def sign(self, key: str, *, method: str = "GET", life_s: int = 3600, filename: str | None = None) -> str:
        """Return a link for the HTTP route. Raises LinkError for what no link can allow."""
        check_key(key)
        check_link_request(method, life_s, filename)
        expires_at = int(time.time()) + life_s
        query = sign_link(self._link_secret, key, method=method, expires_at=expires_at, filename=filename)
        return link_url(self._link_base_url, key, query)

    def uri(self, key: str) -> str:
        """Return ``file:///…/objects/key``, percent-encoded."""
        return self._objects.path.joinpath(*check_key(key)).as_uri()

    def key_of(self, uri: str) -> str:
        """Return the key of a ``file://`` URI in this store. Raises KeyRefusedError for any other."""
        start = f"{self._objects.path.as_uri()}/"
        if not uri.startswith(start):
            raise KeyRefusedError(f"{uri!r} is not in this store; its URIs start with {start}")
        key = unquote(uri.removeprefix(start))
        check_key(key)
        return key

    @contextmanager
    def _mapped(self, doing: str) -> Iterator[None]:
        """Turn the system's errors into the store's."""
        try:
            yield
        except OSError as error:
            raise store_error(error, doing, self._root) from error

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[int, os.stat_result]]:
        segments = check_key(key)
        with self._mapped(f"reading {key}"):
            try:
                with open_object(self._objects, segments) as (fd, known):
                    yield fd, known
            except FileNotFoundError as error:
                raise ObjectNotFoundError(f"there is no object {key} in {self._root}") from error

    def _refuse_early(self, key: str, *, create_only: bool) -> None:
        """Spare the writing where the outcome is plain; the link decides where it is not."""
        if create_only and self.stat(key):
            raise ObjectExistsError(f"the object {key} exists already")


def _copy_unchanged(source: int, target: int, path: Path) -> None:
    """Copy a file that must stay as it is meanwhile."""
    before = os.fstat(source)
    copied = copy_all(source, target, before.st_size)
    if copied != before.st_size or generation_of(os.fstat(source)) != generation_of(before):
        raise ChecksumError(
            f"the file {path} changed while it was being stored; store it when it is finished"
        )
