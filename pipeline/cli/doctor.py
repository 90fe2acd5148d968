"""``halorow doctor``: looks at every part that the service needs, and says what to do where one ails."""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from mpi_stage.contract import Request
from mpi_stage.errors import StageError
from pipeline.access.page_access import check_exposure, is_loopback
from pipeline.config import Settings
from pipeline.errors import HalorowError, SettingsError
from pipeline.extras import EXTRAS, is_there
from pipeline.models import now
from pipeline.notify.mail import try_server
from pipeline.notify.sender import mail_server_of
from pipeline.redis.examine import examine
from pipeline.stores.registry import store_of
from pipeline.worlds.world import World

LEAST_REDIS = (6, 2)
LEAST_FREE_BYTES = 2 << 30
LEAST_FILES = 1024
CLOCK_S = 1.0
"""Leases are counted by Redis' clock alone; links, ages and logs by those of the machines."""

_CONNECT_S = 1.0
_PROGRAM_S = 60.0
# One gray pixel, as PNG: small enough to be written here, and to be read by every rank.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636800000082"
    "008177cd72b60000000049454e44ae426082"
)


class Health(StrEnum):
    """How a part is."""

    WELL = "well"
    WARNING = "warning"
    ILL = "ill"


@dataclass(frozen=True)
class Finding:
    """What was found of one part, and what to do about it (empty where nothing)."""

    part: str
    health: Health
    text: str
    remedy: str = ""


Check = Callable[[Settings], Iterator[Finding]]


def well(part: str, text: str) -> Finding:
    """Return that a part is as it should be."""
    return Finding(part, Health.WELL, text)


def examine_all(load: Callable[[], Settings]) -> Iterator[Finding]:
    """Yield what is found, part after part; ``load`` gives the settings."""
    try:
        settings = load()
    except SettingsError as error:
        yield Finding("settings", Health.ILL, error.public_message, "correct the settings named there")
        return
    yield well("settings", f"all are valid; the service's folder is {settings.data_dir}")
    for part, check in CHECKS.items():
        try:
            yield from check(settings)
        except (HalorowError, StageError, OSError, subprocess.SubprocessError) as error:
            message = getattr(error, "public_message", str(error))
            yield Finding(part, Health.ILL, message, _REMEDIES.get(part, "see the message"))


def _access(settings: Settings) -> Iterator[Finding]:
    # A service that does not run has no secret yet.
    known = settings.link_secret or SecretStr("made by halorow up")
    check_exposure(settings.model_copy(update={"link_secret": known}), settings.page_host)
    if settings.has_login:
        yield well("access", f"people log in by {urlsplit(settings.login_metadata_url).hostname}")
    elif is_loopback(settings.page_host):
        yield well("access", "one user: the page listens on this machine alone")
    else:
        yield Finding(
            "access",
            Health.WARNING,
            f"the page on {settings.page_host} is open to everybody who reaches it (page_open)",
            "set login_metadata_url, login_client_id and login_client_secret",
        )


def _store(settings: Settings) -> Iterator[Finding]:
    store = store_of(settings)
    key, data = f"doctor/{uuid.uuid4().hex}", os.urandom(1 << 16)
    began = time.monotonic()
    info = store.put_bytes(key, data)
    try:
        same = store.get_bytes(key) == data
    finally:
        store.delete(key)
    took_s = time.monotonic() - began
    if not same:
        yield Finding(
            "store",
            Health.ILL,
            f"{settings.store_uri} gave back other bytes than it got",
            "replace the disk",
        )
        return
    yield well("store", f"{settings.store_uri} keeps what is put there ({took_s * 1000:.0f} ms for 64 KiB)")
    ahead_s = (info.updated_at - now()).total_seconds() + took_s / 2
    if abs(ahead_s) > CLOCK_S + took_s:
        yield _clock("the store", ahead_s)


def _redis(settings: Settings) -> Iterator[Finding]:
    facts = examine(settings.redis_url.get_secret_value())
    numbers = tuple(int(number) for number in facts.version.split(".")[:2])
    if numbers < LEAST_REDIS:
        yield Finding("redis", Health.ILL, f"{facts.version} at {facts.where}", "install 6.2 or newer")
    else:
        yield well("redis", f"{facts.version} at {facts.where} answers in {facts.answer_s * 1000:.1f} ms")
    if not facts.asks_password:
        yield Finding(
            "redis",
            Health.WARNING,
            "whoever reaches it may do everything",
            "set requirepass in redis.conf, and redis_url to redis://:PASSWORD@host:port/0",
        )
    if not facts.keeps:
        yield Finding(
            "redis", Health.WARNING, "it writes nothing to the disk", "set `appendonly yes` in redis.conf"
        )
    if facts.evicts:
        yield Finding(
            "redis",
            Health.WARNING,
            "it forgets keys when its memory is full",
            "set `maxmemory-policy noeviction` in redis.conf",
        )
    if abs(facts.ahead_s) > CLOCK_S + facts.answer_s:
        yield _clock("Redis", facts.ahead_s)
    else:
        yield well("clock", f"within {max(abs(facts.ahead_s), facts.answer_s):.3f} s of Redis' own")


def _clock(whose: str, ahead_s: float) -> Finding:
    apart = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'}"
    text = f"the clock of {whose} is {apart} this machine's"
    return Finding("clock", Health.WARNING, text, "keep the clocks of all machines with chrony or ntpd")


def _ray(settings: Settings) -> Iterator[Finding]:
    if not settings.ray_address:
        yield Finding(
            "ray", Health.WARNING, "no service of this machine is running", "start one with `halorow up`"
        )
        return
    host, _, port = settings.ray_address.rpartition(":")
    if not _listens(host, int(port)):
        yield Finding(
            "ray", Health.ILL, f"nobody answers at {settings.ray_address}", "start the head, or `halorow up`"
        )
        return
    yield well("ray", f"its head answers at {settings.ray_address}")


def _page(settings: Settings) -> Iterator[Finding]:
    host, port = urlsplit(settings.base_url).hostname or settings.page_host, settings.page_port
    if not settings.ray_address:
        if _listens(settings.page_host, port):
            yield Finding(
                "ports",
                Health.WARNING,
                f"port {port} is taken by another program",
                "`halorow up` will choose another, or set page_port",
            )
        else:
            yield well("ports", f"{port} is free for the page")
    elif _listens(host, urlsplit(settings.base_url).port or port):
        yield well("page", f"it answers at {settings.base_url}")
    else:
        yield Finding("page", Health.ILL, f"nobody answers at {settings.base_url}", "see logs/page.log")


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_S):
            return True
    except OSError:
        return False


def _disk(settings: Settings) -> Iterator[Finding]:
    for folder in (settings.data_dir, Path(tempfile.gettempdir())):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(there).free
        text = f"{free / 2**30:.1f} GiB free for {folder}"
        if free < LEAST_FREE_BYTES:
            remedy = "make room (`halorow clean --dry-run` shows what could go), or move data_dir or TMPDIR"
            yield Finding("disk", Health.WARNING, text, remedy)
        else:
            yield well("disk", text)
        if not os.access(there, os.W_OK):
            yield Finding("disk", Health.ILL, f"{there} cannot be written to", "give this user the right")
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < LEAST_FILES:
        yield Finding("files", Health.WARNING, f"{files} may be open at once", f"ulimit -n {LEAST_FILES}")


def _mpi(_settings: Settings) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="halorow-") as folder:
        image = Path(folder) / "pixel.png"
        image.write_bytes(_PNG)
        began = time.monotonic()
        with World(2) as world:
            world.digest(Request(job="doctor", input=str(image), output="", output_name="", steps=[]))
    yield well("mpi", f"two ranks started and read a picture within {time.monotonic() - began:.1f} s")


_NATIVE = "from mpi_stage.native import kernels; print('' if kernels is None else 'there')"
_GPU = "import cupy; print(cupy.cuda.runtime.getDeviceCount())"


def _native(_settings: Settings) -> Iterator[Finding]:
    if _said(_NATIVE).strip():
        yield well("kernels", "the compiled ones are there")
    else:
        remedy = "install a C compiler and run `python setup.py build_ext --inplace` for speed"
        yield Finding("kernels", Health.WARNING, "the compiled ones are missing", remedy)


def _gpu(_settings: Settings) -> Iterator[Finding]:
    if shutil.which("nvidia-smi") is None:
        yield well("gpu", "none here; all is done on CPUs")
        return
    try:
        count = int(_said(_GPU))
    except (subprocess.SubprocessError, ValueError):
        remedy = "install the extra `gpu` (CuPy), and a driver that it can use"
        yield Finding("gpu", Health.WARNING, "there is a driver, but CuPy cannot use it", remedy)
        return
    yield well("gpu", f"{count} can be used")


def _said(program: str) -> str:
    """Run a few lines in a process of their own, since the service loads neither kernels nor drivers."""
    argv = [sys.executable, "-c", program]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=_PROGRAM_S).stdout


def _mail(settings: Settings) -> Iterator[Finding]:
    server = mail_server_of(settings)
    if server is None:
        yield well("mail", "none is sent: smtp_host is not set")
        return
    try_server(server)
    yield well("mail", f"{server.host}:{server.port} takes mail from {server.sender}")


def _extras(settings: Settings) -> Iterator[Finding]:
    wanted = {
        "gcs": settings.store_uri.startswith("gs://") or bool(settings.allowed_buckets),
        "login": settings.has_login,
    }
    missing = sorted({extra for module, extra in EXTRAS.items() if not is_there(module)})
    for extra in missing:
        if wanted.get(extra):
            lack = f"the settings ask for `{extra}`, which is not installed"
            yield Finding("extras", Health.ILL, lack, f"pip install 'halorow[{extra}]'")
    unasked = [extra for extra in missing if not wanted.get(extra)]
    left = f"not installed, and not asked for by the settings: {', '.join(unasked)}"
    yield well("extras", left if unasked else "all that the settings ask for are installed")


CHECKS: dict[str, Check] = {
    "extras": _extras,
    "access": _access,
    "store": _store,
    "redis": _redis,
    "ray": _ray,
    "page": _page,
    "mail": _mail,
    "disk": _disk,
    "mpi": _mpi,
    "kernels": _native,
    "gpu": _gpu,
}
"""In the order in which they are looked at."""

_REMEDIES = {
    "access": "set what the message names",
    "store": "check store_uri, and that this user may write there",
    "redis": "start Redis, or `halorow up`, and check redis_url",
    "mail": "check smtp_host, smtp_port, smtp_security, smtp_user and smtp_password",
    "mpi": "pip install mpich mpi4py, as locked in requirements.lock",
    "kernels": "pip install halorow once more",
}
