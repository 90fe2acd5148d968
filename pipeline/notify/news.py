"""Things that happened and are to be passed on: written down first, told by the notifier."""

from contextlib import suppress

from pipeline.channels.keys import news_key
from pipeline.errors import ObjectExistsError
from pipeline.models import Alert
from pipeline.ports import ObjectStore


def announce(store: ObjectStore, alert: Alert) -> None:
    """Have all operators told who want to be that an alert is raised or cleared.

    Durable on return; announced again with the same ``id``, ``since`` and ``state`` it is told once.
    Raises StoreError.
    """
    with suppress(ObjectExistsError):
        store.put_bytes(
            news_key(alert_name(alert), alert.at), alert.model_dump_json().encode(), create_only=True
        )


def alert_name(alert: Alert) -> str:
    """Return what is the same however often one turn of an alert is announced."""
    return f"alert:{alert.id}:{alert.since.isoformat()}:{alert.state.value}"
