"""Which parts of the service answer just now, as seen by whoever looks: needs nobody else to be alive."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import datetime

from pipeline.alerts.lookout import BEAT
from pipeline.alerts.start import store_folder
from pipeline.config import Settings
from pipeline.errors import HalorowError
from pipeline.models import AlertsStatus
from pipeline.ports import ObjectStore
from pipeline.redis.connection import answers

STORE_S = 3.0
LATE_LOOKS = 6
LEAST_LATE_S = 60.0
"""The notifier is late after so many looks that have not come, and not before so long."""


@dataclass(frozen=True)
class Check:
    """Whether a part answers, and what is to be said of it where it does not."""

    part: str
    is_well: bool
    text: str = ""


def examine_parts(
    store: ObjectStore, settings: Settings, alerts: AlertsStatus | None, at: datetime
) -> list[Check]:
    """Return how Redis, the store and the notification service are."""
    return [_redis(settings), _store(store, settings), _notifier(settings, alerts, at)]


def _redis(settings: Settings) -> Check:
    if answers(settings.redis_url.get_secret_value()):
        return Check("Redis", is_well=True)
    text = "Redis does not answer. Work in hand goes on; accepted jobs are kept in the store."
    return Check("Redis", is_well=False, text=text)


def _store(store: ObjectStore, settings: Settings) -> Check:
    asking = ThreadPoolExecutor(1)
    try:
        folder = store_folder(settings.store_uri)
        if folder is not None and not folder.is_dir():
            return Check("store", is_well=False, text=f"The store's folder {folder} is not there.")
        asking.submit(store.stat, BEAT).result(STORE_S)
    except (HalorowError, OSError) as error:
        return Check("store", is_well=False, text=f"The store does not answer: {error}")
    except NotYet:
        return Check("store", is_well=False, text=f"The store has not answered within {STORE_S:.0f} s.")
    finally:
        asking.shutdown(wait=False)
    return Check("store", is_well=True)


def _notifier(settings: Settings, alerts: AlertsStatus | None, at: datetime) -> Check:
    late_s = max(LEAST_LATE_S, LATE_LOOKS * settings.alert_look_s)
    silent_s = None if alerts is None else (at - alerts.looked_at).total_seconds()
    if silent_s is not None and silent_s < late_s:
        return Check("notifier", is_well=True)
    since = "yet" if silent_s is None else f"for {silent_s:,.0f} s"
    text = f"The notification service has not applied the rules {since}: alerts may be missing."
    return Check("notifier", is_well=False, text=text)
