"""A file that was made to harm whoever opens it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Trap:
    """One hostile file.

    Attributes
    ----------
    name: of the file, suffix included.
    write: writes it at a path.
    bomb: whether it declares more than a job may have, so that its header alone must be refused.
    options: of the request: a page, a plane, a level, steps.

    """

    name: str
    write: Writer
    bomb: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def holding(data: Callable[[], bytes]) -> Writer:
    """Return what writes the bytes that ``data`` makes, once they are wanted."""

    def write(path: Path) -> None:
        path.write_bytes(data())

    return write
