"""Compiled kernels, where they were built: the same bytes as the library calls, sooner.

``kernels`` is None where the installation had no compiler, where what was built lacks a kernel of
:class:`~mpi_stage.native.interface.Kernels`, or where ``HALOROW_NATIVE=0`` asks for the library calls.
Every caller has a path for that.
"""

import os
from importlib import import_module
from typing import cast

from mpi_stage.native.interface import Kernels


def _load() -> Kernels | None:
    if os.environ.get("HALOROW_NATIVE") == "0":
        return None
    try:
        built = import_module("mpi_stage.native._kernels")
    except ImportError:
        return None
    wanted = (name for name in vars(Kernels) if not name.startswith("_"))
    return cast("Kernels", built) if all(hasattr(built, name) for name in wanted) else None


kernels = _load()
