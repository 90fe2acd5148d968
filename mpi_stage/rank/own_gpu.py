"""A rank's part of a GPU of its machine, if there is one."""

import socket

from gpu_kernels.device import device_count, device_of, why_unusable
from mpi_stage.errors import DeviceError
from mpi_stage.planning.devices import GPU, SAFE_PART, agreed
from mpi_stage.planning.gpu import Gpu
from mpi_stage.rows.context import RankContext


def check_device(device: str) -> None:
    """Raise DeviceError where the device asked for (``auto``, ``cpu`` or ``gpu``) cannot be used."""
    reason = why_unusable() if device == GPU else None
    if reason:
        raise DeviceError(f"device gpu cannot be used here: {reason}; use --device auto or cpu")


def gpu_of(local_rank: int, local_ranks: int) -> Gpu | str:
    """Return a rank's part of a GPU of this machine, or why there is none.

    ``local_rank`` is its number among the ``local_ranks`` ranks of the machine.
    """
    reason = why_unusable()
    if reason:
        return reason
    found = device_of(local_rank)
    sharing = -(-local_ranks // device_count())
    return Gpu(found.number, found.name, int(found.free_bytes * SAFE_PART) // sharing)


def agreed_gpu(context: RankContext) -> Gpu | str:
    """Return this rank's part of a GPU as all ranks agree on it, or why there is none; all call it."""
    comm = context.comm
    hosts = comm.allgather(socket.gethostname())
    mine = hosts[comm.rank]
    found = gpu_of(hosts[: comm.rank].count(mine), hosts.count(mine))
    return agreed(comm.allgather(found), comm.rank)
