"""The folder of an embedded service: who owns it, its secrets, and what a killed one left behind."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import ServiceError
from pipeline.settings.private_files import write_private

_RAY_PREFIX = "halorow-ray-"
_MAX_SOCKET_BYTES = 107
_RAY_SOCKET_BYTES = 75
"""What Ray appends to its folder for the longest of its Unix sockets, rounded up."""


class DataDir:
    """Names the parts of a data directory; made by whoever starts the service."""

    def __init__(self, path: Path) -> None:
        """Use ``path``, which need not exist."""
        self.path = path

    @property
    def redis(self) -> Path:
        """Where Redis keeps its append-only file."""
        return self.path / "redis"

    def sweep_store(self) -> None:
        """Remove what writers that were killed have left half written; for the owner, before others write."""
        with suppress(FileNotFoundError):
            for path in (self.path / "store" / "staging").iterdir():
                with suppress(OSError):
                    path.unlink()

    def log(self, name: str) -> Path:
        """Return the log file of a part of the service."""
        folder = self.path / "logs"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.log"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Own the directory while the block lasts. Raises ServiceError where another process does.

        The lock is the kernel's: it goes with its owner, however that ends.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ServiceError(f"{self.path} cannot be used for the service's data: {error}") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
                raise ServiceError(
                    f"a service is running in {self.path} already (process {holder});"
                    " end that one, or choose another folder with --data"
                ) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(lock)

    def secret(self, name: str) -> str:
        """Return a secret that is made once and then kept, so that links outlive a restart."""
        path = self.path / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="utf-8").strip()

    @contextmanager
    def ray_folder(self) -> Iterator[Path]:
        """Yield a new folder for Ray with a path short enough for its sockets; removed in the end.

        That of a service that was killed is removed first. Raises ServiceError.
        """
        note = self.path / "ray-folder"
        if note.exists():
            left = Path(note.read_text(encoding="utf-8").strip())
            if left.name.startswith(_RAY_PREFIX):
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_RAY_PREFIX, dir=_short_temporary_folder()))
        note.write_text(f"{folder}\n", encoding="utf-8")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            note.unlink(missing_ok=True)


def _short_temporary_folder() -> str:
    chosen = tempfile.gettempdir()
    length = len(os.fsencode(chosen)) + len(_RAY_PREFIX) + len("/12345678") + _RAY_SOCKET_BYTES
    return chosen if length <= _MAX_SOCKET_BYTES else "/tmp"  # noqa: S108  # mkdtemp makes a private folder
