"""From a cause to the operator: the rules beside the notifier, on a real Redis and a store in a folder."""

import threading
from functools import partial

from pipeline.alerts.start import watched
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.models import JobState, JobStatus, Lane, now
from pipeline.notify.news import announce
from pipeline.notify.notifier import notifier_of

WAIT_S = 60


def status(state, attempt=1):
    return JobStatus(
        id="20260101-000000-abcdefghij",
        state=state,
        attempt=attempt,
        lane=Lane.SINGLE,
        input_name="x.tif",
        pipeline="invert",
        created_at=now(),
        finished_at=now() if state.is_final else None,
    )


def test_an_operator_is_told_once_that_there_is_a_dead_letter_and_once_that_there_is_none(
    redis_server, redis_client, tmp_path
):
    del redis_client  # it has emptied the server
    settings = Settings.load(
        find_service=False,
        data_dir=tmp_path,
        redis_url=redis_server.url,
        alert_look_s=0.1,
        alert_clear_s=0,
        alert_disk_percent=0,
    )
    parts = connect_parts(settings)

    def alerts_told(number):
        for _ in range(WAIT_S * 20):
            found = [one.text for one in parts.notices.read("local", None) if one.kind == "alert"]
            if len(found) >= number:
                break
            pause.wait(0.05)
        return found

    pause = threading.Event()
    notifier = notifier_of(settings, parts)
    passing_on = threading.Thread(target=notifier.run)
    passing_on.start()
    try:
        parts.board.put(status(JobState.DEAD))
        with watched(settings, parts, partial(announce, parts.store)):
            assert alerts_told(1) == ["Alert: Dead letters of the last day: 1"]
        with watched(settings, parts, partial(announce, parts.store)):  # as after a restart
            parts.board.reset(status(JobState.QUEUED))
            assert alerts_told(2) == [
                "Alert: Dead letters of the last day: 1",
                "No longer: Dead letters of the last day: 1",
            ]
    finally:
        notifier.stop()
        passing_on.join()
        parts.close()
