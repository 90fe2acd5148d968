"""Objects in a store."""

from datetime import datetime

from pipeline.models.base import Model


class ObjectRef(Model):
    """An object in the store, as it was when the job was accepted; or in another ``bucket``."""

    key: str
    size_bytes: int
    generation: str
    bucket: str | None = None


class ObjectInfo(Model):
    """What a store says of one object."""

    key: str
    size_bytes: int
    generation: str
    updated_at: datetime
