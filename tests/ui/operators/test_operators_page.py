"""The operators' page without a browser, on a real Redis; and what it says, as pure functions."""

from datetime import timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pipeline.alerts.rules import rules_of
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.desks.operators import OperatorDesk
from pipeline.errors import RoleError
from pipeline.models import (
    Alert,
    AlertsStatus,
    AlertState,
    ClusterStatus,
    Failure,
    JobState,
    Lane,
    LaneStatus,
    NodeStatus,
    Sample,
    Vitals,
    now,
)
from ui.operators import queue_chart, runbook
from ui.operators import view as operators_view
from ui.service import connection as service

GIB = 1 << 30


def node(address="10.0.0.3", cpu_percent=42.0, **values):
    vitals = Vitals(
        cpu_percent=cpu_percent,
        memory_used_bytes=3 * GIB,
        memory_total_bytes=4 * GIB,
        disk_used_bytes=GIB,
        disk_total_bytes=2 * GIB,
    )
    known = {"id": f"{'ab' * 8}{address}", "state": "kept", "cores": 4, "cores_used": 2, "vitals": vitals}
    return NodeStatus(address=address, **(known | values))


def cluster(**values):
    lanes = {Lane.SINGLE: LaneStatus(waiting=3, held=1, oldest_s=125.0), Lane.GANG: LaneStatus()}
    known = {
        "nodes": [node(ranks=2, worlds=1)],
        "nodes_wanted": 5,
        "nodes_max": 8,
        "worlds": 1,
        "lanes": lanes,
    }
    return ClusterStatus(**(known | values))


def test_the_headline_says_what_there_is_what_is_wanted_and_how_long_jobs_wait():
    found = {one.name: (one.value, one.note) for one in operators_view.figures(cluster(), dead=7)}
    assert found["Nodes"] == ("1", "5 of at most 8 wanted")
    assert found["Worlds"] == ("1", "2 ranks, 0 one-rank workers")
    assert found["Waiting"][0] == "3"
    assert "2 min 5 s" in found["Waiting"][1]
    assert found["Dead letters"][0] == "7"


def test_a_head_on_which_nothing_is_done_is_no_node_of_the_headline():
    nodes = [node("10.0.0.2", is_head=True, cores=0, cores_used=0), node()]
    found = operators_view.figures(cluster(nodes=nodes, nodes_wanted=None), dead=0)
    assert found[0].value == "1"


def test_the_table_of_nodes_says_in_words_what_its_bars_show_and_cannot_be_written_into():
    table = operators_view.nodes_html([node(), node("<b>evil</b>", vitals=None)])
    assert "42 %" in table
    assert "3.2 GB of 4.3 GB" in table
    assert "not told" in table
    assert "<b>evil" not in table


def test_the_node_of_an_attempt_is_known_by_its_worker_s_name():
    there = cluster()
    assert operators_view.node_of(f"worker-{'ab' * 8}-1", there) == f"10.0.0.3 (worker-{'ab' * 8}-1)"
    assert operators_view.node_of("gang-1", there) == "gang-1"
    assert operators_view.node_of(None, there) == "unknown"


def test_of_many_samples_the_peaks_are_kept():
    begun = now()
    series = [
        Sample(at=begun + timedelta(seconds=10 * number), waiting={Lane.SINGLE: 90 * (number == 4321)})
        for number in range(8640)
    ]
    thinned = queue_chart.thinned(series)
    assert len(thinned) <= queue_chart.POINTS + 1
    assert max(row["value"] for row in queue_chart.queue_rows(thinned)) == 90
    assert queue_chart.thinned(series[:5]) == series[:5]


def test_every_rule_has_an_entry_of_the_runbook_on_the_page(tmp_path):
    for rule in rules_of(Settings.load(find_service=False, data_dir=tmp_path)):
        alert = Alert(id=rule.name, state=AlertState.RAISED, since=now(), text="")
        text = runbook.entry(alert.runbook)
        assert text is not None
        assert "**Do.**" in text
        assert "](" not in text
    assert runbook.entry("HalorowNothing") is None


def draw_page():
    from ui.operators.page import operators_page  # noqa: PLC0415  (Streamlit takes the function's source)

    operators_page()


@pytest.fixture
def real(redis_server, redis_client, tmp_path, monkeypatch):  # noqa: ARG001  (it empties the server)
    """Give the parts of a service on a real Redis, and settings that the page uses."""
    settings = Settings.load(
        find_service=False,
        data_dir=tmp_path,
        redis_url=redis_server.url,
        link_secret="of the tests",  # noqa: S106  (a test's)
        grafana_url="https://grafana.example/d/halorow",
    )
    parts = connect_parts(settings)
    desk = OperatorDesk.open(settings)
    monkeypatch.setattr(service, "connection", lambda: Client(parts, settings))
    monkeypatch.setattr(service, "operator_connection", lambda: desk)
    monkeypatch.setattr(service, "settings", lambda: settings)
    st.cache_data.clear()
    yield parts
    desk.close()
    parts.close()


def drawn():
    page = AppTest.from_function(draw_page, default_timeout=30).run()
    assert not page.exception
    return page


def said(page):
    kinds = (page.markdown, page.caption, page.error, page.info, page.warning, page.toast, page.code)
    texts = [str(element.value) for kind in kinds for element in kind]
    return "\n".join([*texts, *(f"{one.label} {one.value}" for one in page.metric)])


def dead_letter(parts):
    """Make a dead letter as the aftermath of its last attempt does."""
    job = service.connection().submit_bytes(b"no image", "killer.tif", "invert")
    parts.queue.release(parts.queue.claim(job.lane, "w", 0))
    record = parts.records.start_attempt(job.id, f"worker-{'ab' * 8}-0", 0)
    failure = Failure(
        job_id=job.id,
        attempt=record.attempt,
        kind="WorldError",
        message="rank 0 died",
        exit_code=1,
        retryable=True,
        dead=True,
        evidence=["attempt 1: rank 0 died; its last words: out of memory"],
    )
    parts.records.fail(failure)
    ended = {"state": JobState.DEAD, "finished_at": now(), "error": failure.message, "attempt": 1}
    parts.board.put(job.model_copy(update=ended))
    return job.id


def test_nodes_figures_alerts_and_links_are_shown(real):
    real.board.put_cluster(cluster())
    held = Alert(
        id="redis-away",
        state=AlertState.RAISED,
        since=now(),
        text="Redis does not answer",
        severity="critical",
        remedy="start it",
    )
    over = held.model_copy(
        update={"id": "queue-old:gang", "state": AlertState.CLEARED, "text": "A job waits"}
    )
    real.operators.put_alerts(AlertsStatus(active=[held], recent=[over]))
    real.operators.add_sample(Sample.of(cluster()))
    page = drawn()
    text = said(page)
    assert "Redis does not answer" in text
    assert "Start it." in text
    assert "A job waits" in text
    assert "Nodes 1" in text
    assert "10.0.0.3" in "".join(one.proto.body for one in page.get("html"))
    assert [one.proto.url for one in page.get("link_button")] == ["https://grafana.example/d/halorow"]
    assert len(page.get("arrow_vega_lite_chart") or page.get("vega_lite_chart")) == 2


def test_a_dead_letter_is_shown_with_its_evidence_and_re_queued_by_the_second_button(real):
    real.board.put_cluster(cluster())
    job = dead_letter(real)
    page = drawn()
    assert "killer" in said(page)
    assert not real.queue.contains(job)
    page.button(key=f"requeue_yes_{job}").click().run()
    assert real.queue.contains(job)
    assert service.connection().status(job).state is JobState.QUEUED
    assert real.records.failure(job) is None
    text = said(page)
    assert "waits again" in text
    assert "None: no job has used up its attempts" in text


def test_without_redis_the_page_says_so_and_shows_the_alerts_of_the_store(own_redis, tmp_path, monkeypatch):
    settings = Settings.load(find_service=False, data_dir=tmp_path, redis_url=own_redis.url)
    desk = OperatorDesk.open(settings)
    monkeypatch.setattr(service, "operator_connection", lambda: desk)
    monkeypatch.setattr(service, "settings", lambda: settings)
    alert = Alert(id="redis-away", state=AlertState.RAISED, since=now(), text="Redis does not answer")
    desk._book.store(AlertsStatus(version=1, active=[alert]))
    own_redis.stop()
    page = drawn()
    assert any("Redis does not answer" in one.value for one in page.error)
    assert any("Redis does not answer" in one.value for one in page.markdown)
    desk.close()


def test_who_is_no_operator_gets_nothing_from_the_desk(real, tmp_path):
    settings = Settings.load(find_service=False, data_dir=tmp_path, operators="olga")
    desk = service.operator_connection()
    assert desk.acting_for(None) is desk
    assert desk.acting_for(settings.person("olga")) is desk
    with pytest.raises(RoleError, match="ada is no operator"):
        desk.acting_for(settings.person("ada"))
    assert real.operators.alerts() is None
