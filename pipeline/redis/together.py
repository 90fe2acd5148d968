"""Several scripts in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError

from pipeline.redis.connection import redis_errors


@dataclass(frozen=True)
class Step:
    """One script with what it is run on."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int | float]


def run_together(client: redis.Redis, steps: Sequence[Step]) -> list[Any]:
    """Run the scripts one after the other, others perhaps in between; return their answers.

    Like any call they are repeated where the connection breaks, all of them. A server that has just
    started knows none of the scripts: it is told, and all are run again, those too that it did know.
    Raises QueueUnavailableError.
    """
    with redis_errors(client):
        try:
            return _send(client, steps)
        except NoScriptError:
            for text in {str(step.script.script) for step in steps}:
                client.script_load(text)
            return _send(client, steps)


def _send(client: redis.Redis, steps: Sequence[Step]) -> list[Any]:
    # Script objects in a pipeline would ask beforehand whether the server knows them.
    with client.pipeline(transaction=False) as batch:
        for step in steps:
            batch.evalsha(step.script.sha, len(step.keys), *step.keys, *step.arguments)
        answers: list[Any] = batch.execute()
    return answers
