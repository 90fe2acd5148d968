"""What ``pyproject.toml`` cannot say in a settled way: the compiled kernels."""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("mpi_stage/native")

KERNELS = Extension(
    "mpi_stage.native._kernels",
    sources=sorted(map(str, NATIVE.glob("*.c"))),
    depends=["setup.py", *sorted(map(str, NATIVE.glob("*.h")))],
    define_macros=[("Py_LIMITED_API", "0x030B0000")],
    # No contraction into fused multiply-adds: floats must be the same on every machine.
    extra_compile_args=["-std=c99", "-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"],
    extra_link_args=["-Wl,-s"],
    py_limited_api=True,
    optional=True,  # without a compiler the library calls do the same
)

setup(ext_modules=[KERNELS], options={"bdist_wheel": {"py_limited_api": "cp311"}})
