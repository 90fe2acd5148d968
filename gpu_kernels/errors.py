"""What goes wrong on a device, apart from CuPy's own classes, which only this package knows.

::

    GpuError
    ├── GpuMemoryError   the device's memory, or the limit set on it, does not hold what a pass needs
    └── GpuLostError     the device or its driver failed; another one, or a CPU, may not

"""


class GpuError(Exception):
    """Raised when a device cannot do what it was asked for; the subclasses say why."""


class GpuMemoryError(GpuError):
    """Raised when memory of the device runs out."""


class GpuLostError(GpuError):
    """Raised when the device stops answering, or its driver or compiler fails."""
