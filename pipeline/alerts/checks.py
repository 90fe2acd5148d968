"""Which parts of the service answer just now, as seen by whoever looks: needs nobody else to be alive."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.alerts.lookout import BEAT
from pipeline.alerts.probe import Probe
from pipeline.config import Settings
from pipeline.errors import HalorowError
from pipeline.models import AlertsStatus
from pipeline.ports import ObjectStore
from pipeline.redis.connection import answers
from pipeline.stores.registry import local_folder

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


def store_probe(store: ObjectStore, settings: Settings) -> Probe:
    """Return what asks the store whether it answers; one for all questions of a process."""
    folder = local_folder(settings.store_uri)

    def ask() -> None:
        if folder is not None and not folder.is_dir():
            raise NotADirectoryError(f"its folder {folder} is not there")
        store.stat(BEAT)

    return Probe(ask, "store-check")


def examine_parts(probe: Probe, settings: Settings, alerts: AlertsStatus | None, at: datetime) -> list[Check]:
    """Return how Redis, the store that ``probe`` asks, and the notification service are."""
    return [_redis(settings), _store(probe), _notifier(settings, alerts, at)]


def _redis(settings: Settings) -> Check:
    if answers(settings.redis_url.get_secret_value()):
        return Check("Redis", is_well=True)
    text = "Redis does not answer. Work in hand goes on; accepted jobs are kept in the store."
    return Check("Redis", is_well=False, text=text)


def _store(probe: Probe) -> Check:
    try:
        probe.answer(STORE_S)
    except TimeoutError:
        return Check("store", is_well=False, text=f"The store has not answered within {STORE_S:.0f} s.")
    except (HalorowError, OSError) as error:
        return Check("store", is_well=False, text=f"The store does not answer: {error}")
    return Check("store", is_well=True)


def _notifier(settings: Settings, alerts: AlertsStatus | None, at: datetime) -> Check:
    late_s = max(LEAST_LATE_S, LATE_LOOKS * settings.alert_look_s)
    silent_s = None if alerts is None else (at - alerts.looked_at).total_seconds()
    if silent_s is not None and silent_s < late_s:
        return Check("notifier", is_well=True)
    since = "yet" if silent_s is None else f"for {silent_s:,.0f} s"
    text = f"The notification service has not applied the rules {since}: alerts may be missing."
    return Check("notifier", is_well=False, text=text)
