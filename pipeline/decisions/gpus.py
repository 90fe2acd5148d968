"""How much of a GPU each worker and each world asks Ray for: pure decisions from what machines have.

Ray lets an actor that asks for GPUs see no others. Of a machine with one-rank workers these share one half
of each GPU and worlds get the other; of a machine without any, worlds get its GPUs whole, one for each rank.
"""

from collections.abc import Iterable, Mapping

CPU, GPU = "CPU", "GPU"
"""What Ray calls cores and GPUs."""

WORKERS_PART = 0.5
_GRAIN = 10_000
"""Ray counts resources in ten-thousandths."""

Resources = Mapping[str, float]


def worker_gpus(machine: Resources, workers: int) -> float:
    """Return the part of a GPU that each of a machine's one-rank workers asks for, 0 without one.

    Parameters
    ----------
    machine: what the machine has in all.
    workers: how many one-rank workers it is to have.

    """
    gpus = int(machine.get(GPU, 0))
    if not gpus or not workers:
        return 0.0
    on_one = -(-workers // gpus)
    return int(_GRAIN * WORKERS_PART / on_one) / _GRAIN


def worker_shares(machines: Iterable[Resources], resource: str) -> list[float]:
    """Return what each one-rank worker of a cluster asks for; ``resource`` counts those of a machine."""
    shares: list[float] = []
    for machine in machines:
        workers = int(machine.get(resource, 0))
        shares += [worker_gpus(machine, workers)] * workers
    return shares


def world_gpus(device: str, ranks: int, machines: Iterable[Resources], resource: str) -> float:
    """Return the GPUs that a world asks for.

    One that must have a GPU waits for a machine that has; ``auto`` and ``cpu`` go where cores are free.

    Parameters
    ----------
    device: of the job's next attempt: ``auto``, ``cpu`` or ``gpu``.
    ranks: of the world.
    machines: what each machine of the cluster has in all.
    resource: what counts a machine's one-rank workers.

    """
    if device != "gpu":
        return 0.0
    found = [(int(one.get(GPU, 0)), one.get(resource, 0) > 0) for one in machines]
    whole = max((gpus for gpus, shared in found if not shared), default=0)
    if whole:
        return float(min(ranks, whole))
    return WORKERS_PART if any(gpus for gpus, _ in found) else 1.0


def gpus_to_hope_for(gpus: float, machines: Iterable[Resources]) -> float:
    """Return the GPUs that a world goes on asking for when it has waited for long enough.

    None where no machine has come that has one: the stage then refuses the job and says why, and jobs that
    need no GPU do not wait behind it for ever.

    Parameters
    ----------
    gpus: what it has asked for.
    machines: what each machine of the cluster has in all.

    """
    return gpus if any(one.get(GPU, 0) for one in machines) else 0.0


def cores_beside_gpus(cores: int, gpus: float, machines: Iterable[Resources]) -> int:
    """Return the cores of a world with GPUs, which stays on one machine: those it wants, or that machine's.

    Parameters
    ----------
    cores: what the world wants.
    gpus: what it asks for.
    machines: what each machine of the cluster has in all.

    """
    fitting = [int(one.get(CPU, 0)) for one in machines if one.get(GPU, 0) >= gpus]
    return min(cores, max(fitting, default=cores)) or 1
