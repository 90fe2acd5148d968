"""Everything that is done to the service: each fault strikes, and is over when its function returns."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil

from tests.chaos.band_watch import recorded
from tests.chaos.ground import Ground
from tests.chaos.redis_faults import empty_redis, kill_redis, set_redis_back, stop_redis
from tests.chaos.relay_faults import cut_off, hold_up, lose_answers, reset_once
from tests.embedded_service import QUICK

SHORT_S = 1.0
LEASE_S = float(QUICK["HALOROW_LEASE_S"])
DISK_S = 2.0
REMOUNT_TRIES = 200

Strike = Callable[[Ground, Random], bool]


@dataclass(frozen=True)
class Fault:
    """What strikes: ``strike`` says whether there was anything to be struck; ``weight`` is that of a draw."""

    name: str
    strike: Strike
    weight: int


def killing(*words: str) -> Strike:
    """Return a fault that kills -9 one process whose command line has one of ``words``."""

    def strike(ground: Ground, random: Random) -> bool:
        return _kill_one(ground.victims(*words), random)

    return strike


def killing_program(name: str) -> Strike:
    """Return a fault that kills -9 the process of a program."""

    def strike(ground: Ground, random: Random) -> bool:
        return _kill_one(ground.programs(name), random)

    return strike


def stopping(seconds: float, *words: str) -> Strike:
    """Return a fault that stops one process for some seconds and lets it go on."""

    def strike(ground: Ground, random: Random) -> bool:
        return _stop_one(ground.victims(*words), random, seconds)

    return strike


def kill_at_bands(ground: Ground, random: Random) -> bool:
    """Kill -9 a rank of an attempt that has bands on record and that has not been struck before."""
    found = {rank: place for rank in ground.victims(*RANK) if (place := _banding_at(rank)) is not None}
    fresh = [rank for rank, place in found.items() if place not in ground.struck]
    victim = _signal_one(fresh, random, signal.SIGKILL)
    if victim is None:
        return False
    ground.struck.add(found[victim])
    return True


def _banding_at(rank: psutil.Process) -> Path | None:
    """Return where a rank keeps its bands; None where it has none on record."""
    with suppress(psutil.Error):
        files = [Path(file.path) for file in rank.open_files()]
        return next((one.parent for one in files if one.match("bands/*/*/journal-*") and recorded(one)), None)
    return None


def kill_head(ground: Ground, _: Random) -> bool:
    """Kill -9 the supervisor, with which all else ends, and start the service again."""
    ground.service.kill()
    ground.start_again()
    return True


def fill_disk(ground: Ground, _: Random) -> bool:
    """Leave no byte free on the store's disk for a while."""
    if ground.disk is None:
        return False
    ballast = ground.disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:  # until there is no room
            file.write(bytes(1 << 20))
    time.sleep(DISK_S)  # the fault lasts
    ballast.unlink()
    return True


def lock_disk(ground: Ground, _: Random) -> bool:
    """Let nobody write to the store's disk for a while."""
    if ground.disk is None:
        return False
    for _ in range(REMOUNT_TRIES):  # refused while anybody has a file open for writing
        if _remounted(ground, "ro"):
            time.sleep(DISK_S)  # the fault lasts
            return _remounted(ground, "rw")
    return False


def _remounted(ground: Ground, how: str) -> bool:
    argv = ["mount", "-o", f"remount,{how}", str(ground.disk)]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def _kill_one(victims: Sequence[psutil.Process], random: Random) -> bool:
    return _signal_one(victims, random, signal.SIGKILL) is not None


def _stop_one(victims: Sequence[psutil.Process], random: Random, seconds: float) -> bool:
    victim = _signal_one(victims, random, signal.SIGSTOP)
    if victim is None:
        return False
    time.sleep(seconds)  # the fault lasts
    with suppress(psutil.Error):
        victim.send_signal(signal.SIGCONT)
    return True


def _signal_one(
    victims: Sequence[psutil.Process], random: Random, number: signal.Signals
) -> psutil.Process | None:
    if not victims:
        return None
    victim = random.choice(victims)
    try:
        victim.send_signal(number)
    except psutil.Error:
        return None
    return victim


RANK = ("-m mpi_stage",)
WORLD = ("mpiexec", "hydra_pmi_proxy")
WORKER, SCHEDULER, GANG = "ray::Worker", "ray::Scheduler", "ray::Gang"
PAGE, NOTIFIER = "-m ui.serve", "-m pipeline.notify.notifier"

FAULTS = (
    Fault("rank killed", killing(*RANK), 10),
    Fault("rank killed at its bands", kill_at_bands, 12),
    Fault("rank stopped for a second", stopping(SHORT_S, *RANK), 5),
    Fault("world killed", killing(*WORLD), 5),
    Fault("gang's supervisor killed", killing(GANG), 4),
    Fault("gang's supervisor stopped past its lease", stopping(LEASE_S + SHORT_S, GANG), 3),
    Fault("worker killed", killing(WORKER), 8),
    Fault("worker stopped past its lease", stopping(LEASE_S + SHORT_S, WORKER), 5),
    Fault("scheduler killed", killing(SCHEDULER), 4),
    Fault("scheduler stopped", stopping(SHORT_S, SCHEDULER), 2),
    Fault("raylet killed", killing_program("raylet"), 2),
    Fault("Ray's program killed", killing("-m pipeline.cluster.head"), 1),
    Fault("raylet stopped", stopping(SHORT_S, "raylet/raylet"), 1),
    Fault("Ray's head killed", killing_program("gcs_server"), 2),
    Fault("supervisor killed, service started again", kill_head, 3),
    Fault("Redis killed", kill_redis, 5),
    Fault("Redis stopped", stop_redis, 2),
    Fault("Redis set back by its last second", set_redis_back, 4),
    Fault("Redis emptied (FLUSHALL)", empty_redis, 5),
    Fault("connections to Redis reset", reset_once, 4),
    Fault("connections to Redis cut for longer than a lease", cut_off, 3),
    Fault("connections to Redis stalled", hold_up, 2),
    Fault("answers of Redis lost", lose_answers, 3),
    Fault("page killed", killing(PAGE), 2),
    Fault("page stopped", stopping(SHORT_S, PAGE), 1),
    Fault("notifier killed", killing(NOTIFIER), 2),
    Fault("notifier stopped", stopping(SHORT_S, NOTIFIER), 1),
    Fault("disk full", fill_disk, 4),
    Fault("disk read-only", lock_disk, 4),
)


def draw(random: Random, among: Sequence[Fault] = FAULTS) -> Fault:
    """Return the next fault."""
    return random.choices(among, [one.weight for one in among])[0]
