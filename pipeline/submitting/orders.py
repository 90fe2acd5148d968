"""What somebody asks for when they submit a job, and whether it can be asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.channels.webhook_url import check_webhook
from pipeline.decisions.quotas import Limits
from pipeline.errors import InvalidJobError
from pipeline.models import Lane

DEVICES = ("auto", "cpu", "gpu")
MAX_RANKS = 10_000
MAX_TEXT_CHARACTERS = 200
"""Longest idempotency key, user or batch."""

PRIORITIES = range(-10, 11)
_NO_LIMITS = Limits()


@dataclass(frozen=True)
class Order:
    """What somebody asks for; ``data`` stands in for the file at ``input`` where given.

    ``limits`` say what is let into the queue, ``max_ranks`` how many cores the cluster may ever have, None
    where that is nobody's business.
    """

    input: str | Path
    steps: str | list[dict[str, Any]]
    user: str
    memory_bytes: int
    limits: Limits = _NO_LIMITS
    max_ranks: int | None = None
    data: bytes | None = None
    input_name: str | None = None
    output: str | None = None
    priority: int = 0
    key: str | None = None
    batch: str | None = None
    webhook: str | None = None
    ranks: int | None = None
    device: str = "auto"
    block_rows: int | None = None
    page: int = 0
    plane: str | None = None
    level: int = 0
    compression: str | None = None
    quality: int | None = None
    tile: int | None = None
    format: str | None = None
    digest: bool = True

    @property
    def lane(self) -> Lane:
        """The lane that the job begins in."""
        return Lane.GANG if self.ranks is not None and self.ranks > 1 else Lane.SINGLE


def _check_ranks(ranks: int, most: int | None) -> None:
    if not 1 <= ranks <= MAX_RANKS:
        raise InvalidJobError(f"ranks must be from 1 to {MAX_RANKS}, got {ranks}")
    if most is not None and ranks > most:
        raise InvalidJobError(
            f"the job asks for {ranks} ranks, but the cluster never has more than {most} cores (nodes_max × "
            "node_cores); ask for fewer ranks, or raise nodes_max"
        )


def check_order(order: Order) -> None:
    """Raise InvalidJobError for what no job can have."""
    if order.device not in DEVICES:
        raise InvalidJobError(f"device must be one of {', '.join(DEVICES)}, got {order.device!r}")
    if order.ranks is not None:
        _check_ranks(order.ranks, order.max_ranks)
    if order.block_rows is not None and order.block_rows < 1:
        raise InvalidJobError(f"block_rows must be at least 1, got {order.block_rows}")
    for name, number in (("page", order.page), ("level", order.level)):
        if number < 0:
            raise InvalidJobError(f"{name} must be at least 0, got {number}")
    if order.priority not in PRIORITIES:
        raise InvalidJobError(f"priority must be from -10 to 10, got {order.priority}")
    for name, text in (("key", order.key), ("user", order.user), ("batch", order.batch)):
        if text is not None and not 1 <= len(text) <= MAX_TEXT_CHARACTERS:
            raise InvalidJobError(f"{name} must have 1 to {MAX_TEXT_CHARACTERS} characters, got {len(text)}")
    if order.webhook is not None:
        check_webhook(order.webhook)
