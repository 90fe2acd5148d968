"""A job's place in the queue: its lane, its user's share, and the right to work on it."""

from enum import StrEnum

from pipeline.models.base import Model


class Lane(StrEnum):
    """How a job is worked on."""

    SINGLE = "single"
    GANG = "gang"


class Share(Model):
    """Whose a job in the queue is, and the pixels of its input that count as this user's."""

    user: str = "local"
    pixels: int = 1


class Claim(Model):
    """The right to work on a job until its lease runs out, unless renewed.

    ``entry_id`` tells this claim from all others; ``deliveries`` is how often the job was handed out
    since it was put into the queue.
    """

    job_id: str
    lane: Lane
    consumer: str
    entry_id: str
    deliveries: int = 1
