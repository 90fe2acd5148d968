"""A local store whose disk fails in every way: an object is there as a whole, or not at all."""

import dataclasses
import errno
import hashlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from pipeline.client import Client
from pipeline.errors import StoreError
from pipeline.models import JobState
from pipeline.stores import folders
from pipeline.stores.local import LocalStore

DATA = os.urandom(300_000)
TRIES = 12
WRITER = """
import os, sys
from pathlib import Path
from pipeline.stores.local import LocalStore
store = LocalStore(Path(sys.argv[1]), b"secret", "http://127.0.0.1:1", durable=False)
print("ready", flush=True)
for number in range(10**9):
    data = bytes([number % 256]) * 3_000_000
    store.put_bytes("key", data)
"""


@pytest.fixture
def disk(tmp_path):
    """Give a file system of four megabytes, and what makes it read-only and back."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False).returncode:
        pytest.skip("no file system can be mounted here")

    def remount(how):
        subprocess.run(["mount", "-o", f"remount,{how},size=4m", folder], check=True)

    yield folder, remount
    # A store keeps its root open for as long as somebody refers to it.
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.tif"
    pixels = np.random.default_rng(4).integers(0, 256, (200, 230, 3), np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(64, 64), metadata=None)
    return path


@pytest.fixture
def local(service, parts, settings, disk):
    """Give a service whose store is the small disk."""
    store = LocalStore(disk[0] / "store", b"secret", "http://127.0.0.1:8501", durable=True)
    parts = dataclasses.replace(parts, store=store)
    return dataclasses.replace(service, parts=parts, client=Client(parts, settings))


class Acting:
    """A stage that does something when its output is made and not yet committed."""

    def __init__(self, stage, act):
        self.stage, self.act = stage, act

    def run(self, request, **options):
        report = self.stage.run(request, **options)
        act, self.act = self.act, None
        if act is not None:
            act()
        return report


def fill(folder):
    free = os.statvfs(folder)
    (folder / "ballast").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 8192)))


def objects(store):
    return {info.key: store.get_bytes(info.key) for info in store.list("")}


def finish(local, runner, job):
    for _ in range(TRIES):
        runner.work_once()
        state = local.client.status(job).state
        if state.is_final:
            return state
        local.clock.at_s += 60.0
    raise AssertionError(f"the job is still {state}")


def quiet_bytes(service, scan):
    job = service.client.submit(scan, "invert")
    service.runner(service.stage).work_once()
    return service.parts.store.get_bytes(service.client.result(job.id).output.key)


@pytest.mark.parametrize("how", ["full", "read-only"])
@pytest.mark.parametrize("when", ["submission", "work", "commit"])
def test_job_outlives_a_disk_that_takes_nothing_for_a_while(service, local, disk, scan, ledger, how, when):  # noqa: PLR0917  (each is a fixture or a case)
    folder, remount = disk
    wanted = quiet_bytes(service, scan)

    def break_it():
        fill(folder) if how == "full" else remount("ro")

    def mend():
        (folder / "ballast").unlink(missing_ok=True) if how == "full" else remount("rw")

    if when == "submission":
        break_it()
        with pytest.raises(StoreError) as caught:
            local.client.submit(scan, "invert", key="once")
        assert caught.value.retryable
        mend()
        assert objects(local.parts.store).keys() <= {
            key for key in objects(local.parts.store) if "keys/" in key
        }
    job = local.client.submit(scan, "invert", key="once").id
    stage = Acting(service.stage, break_it) if when == "commit" else service.stage
    runner = service.runner(stage, using=local.parts)
    if when == "work":
        break_it()
    if when != "submission":
        runner.work_once()
        assert local.client.status(job).state is not JobState.SUCCEEDED or how == "full"
        mend()
    assert finish(local, runner, job) is JobState.SUCCEEDED
    result = local.client.result(job)
    assert local.parts.store.get_bytes(result.output.key) == wanted
    assert sum(key.endswith("/result.json") for key in objects(local.parts.store)) == 1
    ledger.note("disk")


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "plain", b"secret", "http://127.0.0.1:8501", durable=True)


FAILING = [
    ("fsync", errno.EIO),
    ("fsync", errno.ENOSPC),
    ("link", errno.EIO),
    ("link", errno.EMLINK),
    ("write", errno.EIO),
    ("write", errno.EDQUOT),
    ("utime", errno.EROFS),
]


@pytest.mark.parametrize(("call", "number"), FAILING, ids=lambda one: errno.errorcode.get(one, one))
def test_call_that_the_system_refuses_leaves_no_object_and_the_next_try_makes_it(
    store, monkeypatch, ledger, call, number
):
    def refuse(*_args, **_options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(StoreError):
        store.put_bytes("a/key", DATA, create_only=True)
    monkeypatch.undo()
    assert objects(store) == {}
    store.put_bytes("a/key", DATA, create_only=True)
    assert objects(store) == {"a/key": DATA}
    ledger.note("disk")


def test_writes_that_take_a_few_bytes_at_a_time_make_the_whole_object(store, monkeypatch, ledger):
    write = os.write
    monkeypatch.setattr(folders.os, "write", lambda fd, data: write(fd, bytes(data[:1000])))
    store.put_bytes("key", DATA)
    monkeypatch.undo()
    assert hashlib.sha256(store.get_bytes("key")).digest() == hashlib.sha256(DATA).digest()
    ledger.note("disk")


def test_writer_killed_at_any_time_leaves_the_object_as_it_was(store, tmp_path, ledger):
    """Readers that look while it is written, and after the kill, see one value in all of the bytes."""
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "plain")], stdout=subprocess.PIPE, text=True
        )
        writer.stdout.readline()
        looks = 0
        while looks < 10:
            if store.stat("key") is not None:
                seen = store.get_bytes("key")
                assert len(set(seen)) == 1
                assert len(seen) == 3_000_000
                looks += 1
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        seen = store.get_bytes("key")
        assert (len(seen), len(set(seen))) == (3_000_000, 1)
        store.delete("key")
    ledger.note("disk", 22)
