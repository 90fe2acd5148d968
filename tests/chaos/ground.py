"""The service that chaos falls upon, and what is needed to see the truth of it in the store."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pipeline.errors import JobNotFoundError, ObjectNotFoundError
from pipeline.models import Ending, Result
from pipeline.records.jobs import JobRecords
from pipeline.stores.local import LocalStore
from tests.chaos.relay import Relay
from tests.embedded_service import EmbeddedService

if TYPE_CHECKING:
    from tests.chaos.bucket import Bucket

STORE_MIB = 1024
"""A slice of 170 jobs makes half of that."""

PATIENT = {"HALOROW_MAX_DEATHS": "50", "HALOROW_MAX_ATTEMPTS": "100", "HALOROW_STALL_S": "20"}
"""Whoever kills on purpose must not have innocent jobs taken for murderers; what hangs is noticed soon."""


class Ground:
    """An embedded service in a folder, which can be killed and started again there.

    ``disk`` is a small file system of its own for the store, None where it cannot be mounted; with a
    ``bucket`` the store is there. If ``relayed``, a ``relay`` is between its programs and Redis.
    """

    def __init__(
        self,
        folder: Path,
        disk: Path | None = None,
        bucket: "Bucket | None" = None,
        env: Mapping[str, str] | None = None,
        *,
        relayed: bool = False,
    ) -> None:
        """Start it."""
        self.relay = Relay(self._redis_port) if relayed else None
        self.disk = disk
        self.bucket = bucket
        self.data = folder / "data"
        self._env = {**PATIENT, **(bucket.env if bucket else {}), **(env or {})}
        if disk is not None:
            self.data.mkdir(parents=True)
            (self.data / "store").symlink_to(disk)
        self.starts = 0
        self.struck: set[Path] = set()
        self.service = self._start()
        # The truth, however Redis is: read straight from the store, with nothing of the service's between.
        local = LocalStore(self.data / "store", b"any", "http://127.0.0.1:1", durable=False)
        self.records = JobRecords(bucket.store if bucket else local)

    def _start(self) -> EmbeddedService:
        self.starts += 1
        if self.relay is None:
            return EmbeddedService(self.data, env=self._env)
        program = ("tests.chaos.relayed_up", str(self.relay.port))
        return EmbeddedService(self.data, env=self._env, program=program)

    def _redis_port(self) -> int:
        """Return where Redis listens now, by its own settings."""
        lines = (self.data / "redis" / "redis.conf").read_text(encoding="utf-8").splitlines()
        return next(int(line.removeprefix("port ")) for line in lines if line.startswith("port "))

    def start_again(self) -> None:
        """Start the service in the same folder, after a kill of its supervisor."""
        self.service = self._start()

    def end(self) -> None:
        """End the service, and the relay with it."""
        self.service.stop()
        if self.relay is not None:
            self.relay.close()

    def ending(self, job_id: str) -> Ending | None:
        """Return how a job has ended on record, None if it has not."""
        with suppress(JobNotFoundError):
            return self.records.ending(job_id)
        return None

    def output_sha256(self, result: Result) -> str:
        """Return the SHA-256 of the object that a result points to; empty if there is none."""
        with suppress(ObjectNotFoundError):
            return hashlib.sha256(self.records.store.get_bytes(result.output.key)).hexdigest()
        return ""

    def left_in_staging(self) -> list[Path]:
        """Return files that are half written; for after the service's end."""
        return list((self.data / "store" / "staging").iterdir())

    def victims(self, *words: str) -> list[psutil.Process]:
        """Return processes of the service whose command lines start with, or contain, one of ``words``."""
        return [one for word in words for one in self.service.processes(word)]

    def programs(self, name: str) -> list[psutil.Process]:
        """Return processes of the service that run a program of this name."""
        found = []
        for process in self.service.processes():
            with suppress(psutil.Error):
                if process.name() == name:
                    found.append(process)
        return found


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a file system of ``STORE_MIB`` for the store; None for who may not."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        yield None
        return
    argv = ["mount", "-t", "tmpfs", "-o", f"size={STORE_MIB}m", "tmpfs", str(folder)]
    if subprocess.run(argv, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
