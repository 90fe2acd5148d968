"""Every kernel compiles for the devices that the documentation names."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, product

import pytest
from kernel_cases import NODATA_PIPELINES, PIPELINES, programs_of

from gpu_kernels.sources import C_TYPES
from mpi_stage.image import DTYPES

NVCC = shutil.which("nvcc")

WANTED = ("70", "80", "90")
PIPELINES_COMPILED = (
    "median",
    "median:size=7",
    "median:size=17",
    "bilateral",
    "denoise:patch=5,search=7",
    "dilate:size=7,shape=cross",
    "gaussian",
    "gaussian:sigma=6",
    "box",
    "box:size=17",
    "unsharp:sigma=0.9,threshold=0.03w",
    "sharpen:amount=0.3",
    "sobel",
    "sobel:size=7",
    "canny:low=0.1w,high=0.4w",
    "adaptive_mean:size=7",
    "gradient",
    "saturation hue sepia equalize",
    "clahe",
    "adaptive_gaussian:size=5",
    "adaptive_gaussian:size=21",
    "levels:in_low=0.2,gamma=1.3 grayscale threshold:value=0.4w rgb",
)
"""One for every source file and branch; all others differ from them in numbers alone."""


def _architectures():
    """Return the wanted architectures that this nvcc has, or the oldest it has in place of an older one."""
    listed = subprocess.run([NVCC, "--list-gpu-arch"], capture_output=True, text=True, check=True).stdout
    known = sorted(set(re.findall(r"compute_(\d+)", listed)), key=int)
    return sorted({one if one in known else known[0] for one in WANTED}, key=int)


def _codes():
    """Return one code for each set of kernels, type and width of strips; they differ most."""
    found = {}
    kinds = tuple(product(DTYPES, (3, 4)))
    masked = programs_of(("box", "gaussian"), tuple(product(DTYPES, (4,))), nodata=0.0)
    floats = programs_of(("canny", "canny:aperture=5"), (("float32", 1),))
    gray = programs_of(("denoise:patch=5,search=7",), (("uint8", 1),))
    for program in chain(programs_of(PIPELINES_COMPILED, kinds), masked, floats, gray):
        for code in program.codes:
            macros = dict(code.macros)
            kept = ("T", "ALPHA", "MEAN", "AFTER", "OUTPUT", "Acc", "WEIGHTED", "SMOOTH")
            found.setdefault((code.kernels, code.files, *(macros.get(name) for name in kept)), code)
    return list(found.values())


def _namespaced(codes):
    """Return one source of many, each in a namespace, with kernels and macros of its own."""
    parts = []
    for number, code in enumerate(codes):
        text = code.text.replace('extern "C" __global__ void', "__global__ void")
        undefined = "".join(f"#undef {name}\n" for name in re.findall(r"^#define (\w+)", text, re.MULTILINE))
        parts.append(f"namespace part{number} {{\n{text}\n}}\n{undefined}")
    return "\n".join(parts)


@pytest.mark.skipif(NVCC is None, reason="nvcc is not installed, so kernels cannot be compiled")
def test_all_kernels_compile_to_ptx_for_every_architecture_that_nvcc_has(tmp_path):
    source = tmp_path / "kernels.cu"
    source.write_text(_namespaced(_codes()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for architecture, done in pool.map(partial(_compiled, source), _architectures()):
            assert done.returncode == 0, f"for {architecture}: {done.stderr[:3000]}"


def _compiled(source, architecture):
    options = [
        "-ptx",
        "-std=c++17",
        "-fmad=false",
        f"-arch=compute_{architecture}",
        "-Werror",
        "all-warnings",
    ]
    target = source.with_name(f"kernels-{architecture}.ptx")
    done = subprocess.run([NVCC, *options, "-o", target, source], capture_output=True, text=True, check=False)
    return architecture, done


def test_every_kernel_is_among_those_that_are_compiled():
    compiled = {kernel for code in _codes() for kernel in code.kernels}
    programs = chain(programs_of(PIPELINES), programs_of(NODATA_PIPELINES, nodata=0.0))
    used = {kernel for program in programs for code in program.codes for kernel in code.kernels}
    assert compiled == used
    assert {dict(code.macros)["T"] for code in _codes()} == set(C_TYPES.values())
