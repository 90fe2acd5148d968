"""The CUDA sources of a kernel, made for one step: its macros, then the files that it needs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "cuda"

C_TYPES = {"uint8": "u8", "uint16": "u16", "float32": "f32"}
"""What the sources call the types of values."""


@dataclass(frozen=True)
class Code:
    """A kernel for one step.

    Attributes
    ----------
    kernels: names of the functions that can be launched.
    files: parts of the source, in order, beside ``common.cuh``; those that end in ``.cuh`` are files of
        this package, others stand for themselves.
    macros: names and values, the step's own numbers among them: the compiler unrolls by them.

    """

    kernels: tuple[str, ...]
    files: tuple[str, ...]
    macros: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The whole source."""
        macros = "".join(f"#define {name} {value}\n" for name, value in self.macros)
        return macros + _read("common.cuh") + "".join(map(_read, self.files))

    @property
    def digest(self) -> str:
        """A name for the source, for caches."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _read(name: str) -> str:
    return (FOLDER / name).read_text() if name.endswith(".cuh") else name


def code(kernels: str, files: str, macros: Mapping[str, object]) -> Code:
    """Return the code with functions and files given by their names, spaces between them."""
    written = tuple((name, _written(value)) for name, value in macros.items())
    return Code(tuple(kernels.split()), tuple(f"{name}.cuh" for name in files.split()), written)


def _written(value: object) -> str:
    """Return a macro's value as C++: numbers exactly, sequences with commas."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"({value.hex()})"
    if isinstance(value, tuple | list):
        return ", ".join(_written(one) for one in value)
    return str(value)
