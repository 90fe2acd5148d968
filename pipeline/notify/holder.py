"""Who is at a letter, and whether they still live."""

import os
import socket
import uuid
from datetime import datetime, timedelta
from typing import Self

import psutil
from pydantic import BaseModel, ConfigDict

HELD_S = 180.0
"""A try whose holder is on another machine, or cannot be told, is over after this: longer than any takes."""

_CLOCK_SLACK_S = 1.0


class Holder(BaseModel):
    """A process that sends letters; ``name`` is its own alone, ``born`` when it began (s since 1970)."""

    model_config = ConfigDict(frozen=True)

    name: str
    host: str
    pid: int
    born: float

    @classmethod
    def here(cls) -> Self:
        """Return a holder in this process."""
        born = psutil.Process().create_time()
        return cls(name=uuid.uuid4().hex, host=socket.gethostname(), pid=os.getpid(), born=born)

    def is_gone(self, since: datetime, at: datetime) -> bool:
        """Whether a try begun at ``since`` is surely nobody's any more at the time ``at``."""
        if at - since > timedelta(seconds=HELD_S):
            return True
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            return (
                abs(process.create_time() - self.born) > _CLOCK_SLACK_S
                or process.status() == psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return True
