"""Every object that ever becomes visible, held against what it must be."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakes.gcs.checksums import Checksums
from fakes.gcs.objects import Objects, StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Watch:
    """What became visible in a bucket, and what was wrong with it.

    Attributes
    ----------
    output: the bytes that a quiet run makes.
    torn: objects that were visible and not whole, by name.
    seen: how many objects became visible, deletions aside.
    results: generations of results of each job.

    """

    output: bytes
    torn: list[str] = field(default_factory=list)
    seen: int = 0
    results: dict[str, set[int]] = field(default_factory=dict)

    def follow(self, objects: Objects) -> None:
        """Look at every object of a fake bucket as it becomes visible."""
        put: Callable[..., StoredObject] = objects.put

        def watched(*args: object, **options: object) -> StoredObject:
            made = put(*args, **options)
            self.look(made)
            return made

        objects.put = watched  # type: ignore[method-assign]  # the fake takes no listener

    def look(self, made: StoredObject) -> None:
        """Check one object."""
        self.seen += 1
        checked = made.checksums.crc32c == Checksums.of(made.data).crc32c
        if not (checked and self._whole(made.name, made.data)):
            self.torn.append(f"{made.name} ({len(made.data)} bytes)")
        if made.name.endswith("/result.json"):
            self.results.setdefault(made.name, set()).add(made.generation)

    def _whole(self, name: str, data: bytes) -> bool:
        if name.endswith(".json"):
            try:
                return isinstance(json.loads(data), dict)
            except ValueError:
                return False
        return data == self.output if "/output/" in name else True
