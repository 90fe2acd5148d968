"""Which GPUs can be used here, and why none can."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

LEAST_CAPABILITY = (7, 0)
"""The kernels use instructions for pairs of 16-bit values that older devices lack."""


@dataclass(frozen=True)
class Device:
    """A GPU: its number among those that this process sees, its name, and its memory now."""

    number: int
    name: str
    free_bytes: int
    total_bytes: int


def why_unusable() -> str | None:
    """Return in words why no GPU can be used here, None if one can."""
    if find_spec("cupy") is None:
        return "CuPy is not installed (the extra halorow[gpu] brings it)"
    return _why_not()


@lru_cache(maxsize=1)
def _why_not() -> str | None:
    try:
        import cupy  # noqa: PLC0415  (slow to import, and not there without the extra)

        count = cupy.cuda.runtime.getDeviceCount()
        capabilities = [cupy.cuda.Device(number).compute_capability for number in range(count)]
    except Exception as error:  # noqa: BLE001  (CuPy raises many classes, the loader its own)
        return f"CUDA cannot be used: {error}"
    if not count:
        return "CUDA sees no GPU"
    newest = max((int(text[:-1]), int(text[-1])) for text in capabilities)
    if newest < LEAST_CAPABILITY:
        return f"the GPU has compute capability {newest[0]}.{newest[1]}, needed is 7.0 (Volta) or newer"
    return None


def device_of(local_rank: int) -> Device:
    """Return the GPU of a rank: those of one machine are dealt to its ranks in turn.

    ``local_rank`` numbers the ranks of this machine. Call it only where :func:`why_unusable` says None.
    """
    import cupy  # noqa: PLC0415

    number = local_rank % cupy.cuda.runtime.getDeviceCount()
    with cupy.cuda.Device(number):
        free, total = cupy.cuda.runtime.memGetInfo()
        name = cupy.cuda.runtime.getDeviceProperties(number)["name"].decode()
    return Device(number, name, int(free), int(total))


def device_count() -> int:
    """Return how many GPUs this process sees, 0 where none can be used."""
    if why_unusable() is not None:
        return 0
    import cupy  # noqa: PLC0415

    return int(cupy.cuda.runtime.getDeviceCount())
