"""The parts of a service that needs no servers: for tests of what stands on them."""

from typing import Any

from pipeline.memory.board import MemoryBoard
from pipeline.memory.bus import MemoryBus
from pipeline.memory.ledger import MemoryLedger
from pipeline.memory.notices import MemoryNoticeBoard
from pipeline.memory.operators import MemoryOperatorBoard
from pipeline.memory.queue import MemoryQueue
from pipeline.parts import Parts
from pipeline.ports import ObjectStore


def memory_parts(store: ObjectStore, **chosen: Any) -> Parts:  # noqa: ANN401  (named and typed in Parts)
    """Return parts in this process's memory around a store; ``chosen`` ones take the place of the usual."""
    usual = {
        "queue": MemoryQueue(),
        "ledger": MemoryLedger(),
        "board": MemoryBoard(),
        "bus": MemoryBus(),
        "notices": MemoryNoticeBoard(),
        "operators": MemoryOperatorBoard(),
    }
    return Parts(store=store, **{**usual, **chosen})
