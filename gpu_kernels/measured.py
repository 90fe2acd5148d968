"""Which kernels have been run and measured on a GPU: ``--device auto`` takes no others.

A kernel leaves this table when ``benchmarks.gpu`` has measured it; its figures then stand in
``benchmarks/results``.
"""

from collections.abc import Callable

from gpu_kernels.step import Step

_MEASURED_MEDIAN = 5


def _always(_step: Step) -> bool:
    return True


_UNMEASURED: dict[str, Callable[[Step], bool]] = {
    "adaptive_gaussian": _always,
    "bilateral": _always,
    "canny_gradients": lambda step: step.is_float,
    "clahe": _always,
    "denoise": _always,
    "median": lambda step: int(step.params["size"]) > _MEASURED_MEDIAN,
    "gradient": _always,
    "tophat": _always,
    "blackhat": _always,
    "morphology_fork": _always,
    "morphology_both": _always,
    "hue": _always,
    "saturation": _always,
    "matrix": lambda step: not step.is_float,
    "sepia": _always,
    "equalize": lambda step: step.channels > 1 and step.params["channels"] != "each",
}
"""Of operations that have any, which of their kernels have not."""


def is_measured(step: Step) -> bool:
    """Whether the kernel of a step has been run and measured on a GPU; none that leaves nodata out has."""
    if step.nodata is not None:
        return False
    unmeasured = _UNMEASURED.get(step.name)
    return unmeasured is None or not unmeasured(step)
