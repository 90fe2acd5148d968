"""What all that is written down has in common."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


class Model(BaseModel):
    """A record: never changed once made, and without fields that this release does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
