"""How the ranks of a world on this machine are started: command line and environment."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mpi_stage.errors import WorldError

STAGE_PROGRAM = ("-m", "mpi_stage")
"""The arguments that make Python run the stage."""

# Python without its search for site packages and without the folder that we happen to be in: the
# environment tells where modules are, which takes a tenth of the time.
_RANK_PYTHON = ("-S", "-P")
_OURS = str(Path(__file__).parents[2])
_LIBRARY = "libmpi.so.12"  # so named by MPICH; "libmpi.so" may be a text for linkers

_MPIEXEC = "mpiexec.hydra"  # so named by MPICH alone: no other MPI's launcher is taken for it

# What Ray, a launcher around us, or a batch system has left there would confuse Hydra or the ranks.
_FOREIGN_PREFIXES = ("RAY_", "PMI_", "PMIX_", "HYD", "MPIEXEC_", "OMP_", "SLURM_", "PBS_")

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (read only, and only what the ranks have mapped is removed)


def rank_command(ranks: int, control: str, program: Sequence[str] = STAGE_PROGRAM) -> list[str]:
    """Return the command that starts a world of ``ranks`` ranks, each told where ``control`` is.

    One rank needs no launcher: MPI starts a world of one by itself. Raises WorldError where MPI is not
    installed.
    """
    rank = rank_arguments(control, program)
    if ranks == 1:
        return rank
    # A host's own name may take the resolver half a minute, so Hydra gets only an address.
    here = ["-rmk", "user", "-launcher", "fork", "-localhost", "127.0.0.1", "-hosts", "127.0.0.1"]
    return [str(mpiexec()), *here, "-n", str(ranks), *rank]


def rank_arguments(control: str, program: Sequence[str] = STAGE_PROGRAM) -> list[str]:
    """Return the command that is a rank, once MPI's launcher or nothing is around it."""
    return [sys.executable, *_RANK_PYTHON, *program, "--control", control]


def mpiexec() -> Path:
    """Return the launcher of the MPI that this Python has installed. Raises WorldError without one."""
    beside = Path(sys.executable).parent / _MPIEXEC
    if beside.exists():
        return beside
    from importlib.metadata import PackageNotFoundError, files  # noqa: PLC0415  (slow and rarely needed)

    with suppress(PackageNotFoundError):
        for file in files("mpich") or ():
            if file.name == _MPIEXEC and file.locate().exists():  # type: ignore[attr-defined]  # a Path, untyped
                return Path(str(file.locate()))
    raise WorldError(f"{_MPIEXEC} is not there: neither {beside} nor in the mpich package; install mpich")


def rank_environment(ranks: int, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for ranks, made from ``environment`` (this process's own if None).

    Ranks are the parallelism, so libraries get one thread each. Where ranks share cores, one that
    waits for a message sleeps instead of spinning; 8 ranks on 2 cores were four times slower without.
    """
    source = os.environ if environment is None else environment
    kept = {name: value for name, value in source.items() if not name.startswith(_FOREIGN_PREFIXES)}
    crowded = {"MPIR_CVAR_ENABLE_HEAVY_YIELD": "1"} if ranks > cores() else {}
    # Within one machine nothing may listen on the network.
    transport = {"UCX_TLS": "self,sm"}
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {
        **transport,
        **_mpi_library(),
        **crowded,
        **kept,
        **threads,
        **_modules(kept.get("PYTHONPATH", "")),
    }


def _modules(stated: str) -> dict[str, str]:
    """Return the variable that tells where modules are: what is stated, ours, and what is installed.

    In a process's own list, what is installed comes after the standard library.
    """
    library = str(Path(os.__file__).parent)
    built_in = [
        at for at, place in enumerate(sys.path) if place.startswith(library) and "-packages" not in place
    ]
    installed = sys.path[max(built_in) + 1 :]
    places = dict.fromkeys([*stated.split(os.pathsep), _OURS, *installed])
    return {"PYTHONPATH": os.pathsep.join(place for place in places if place)}


def _mpi_library() -> dict[str, str]:
    """Return the variable that tells mpi4py where MPI is, if this Python has it installed.

    Without site packages Python does not know of its virtual environment, where mpi4py would look.
    """
    library = Path(sys.prefix) / "lib" / _LIBRARY
    return {"MPI4PY_LIBMPI": str(library)} if library.exists() else {}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def forget_shared_memory(pids: Iterable[int]) -> None:
    """Remove the names of MPICH's shared memory that the given ranks use; they go on using it.

    MPICH removes the name in MPI_Finalize only, so a rank that is killed would leave megabytes in
    memory until the machine restarts. Call it when all ranks of the machine have started MPI.
    """
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                path = Path(line.rpartition(" ")[2])
                if path.parent == _SHARED_MEMORY and path.name.startswith("mpich_"):
                    path.unlink(missing_ok=True)
