"""Submitting, following, cancelling and retrying, as far as no runner is needed."""

import dataclasses
import threading

import pytest

from mpi_stage.errors import MissingInputError, ParameterError, UnknownOperationError
from pipeline import layout
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.errors import (
    InvalidJobError,
    JobFailedError,
    JobNotFoundError,
    JobStateError,
    KeyRefusedError,
    ObjectNotFoundError,
    QueueUnavailableError,
)
from pipeline.keeping.reconcile import reconcile
from pipeline.models import Failure, JobState, Lane


class AwayQueue:
    """A queue whose server is away."""

    def __getattr__(self, name):
        def away(*_args, **_kwargs):
            raise QueueUnavailableError("away")

        return away


def nothing_written(store):
    return not list(store.list(""))


def test_a_submitted_job_waits_with_its_manifest_in_the_store(client, parts, photo, edges, edges_json):
    status = client.submit(photo, edges)

    manifest = client.manifest(status.id)
    assert status.state is JobState.QUEUED
    assert manifest.steps == edges_json
    assert manifest.input_name == "astronaut.jpg"
    assert manifest.memory_bytes == 1 << 30
    assert parts.store.get_bytes(manifest.input.key) == photo.read_bytes()
    assert parts.store.stat(layout.open_key(status.id)) is not None
    assert parts.queue.contains(status.id)
    assert [job.id for job in client.jobs()] == [status.id]


def test_bytes_are_submitted_under_the_name_they_are_given(client, photo, edges):
    status = client.submit_bytes(photo.read_bytes(), "holiday photo.jpg", edges)

    assert client.manifest(status.id).output_name == "holiday_photo.jpg"


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ("gausian", UnknownOperationError),
        ("gaussian:sigma=1000", ParameterError),
        ("median:size=4", ParameterError),
    ],
)
def test_a_wrong_pipeline_is_refused_before_anything_is_written(client, parts, photo, steps, error):
    with pytest.raises(error):
        client.submit(photo, steps)

    assert nothing_written(parts.store)


@pytest.mark.parametrize(
    "options",
    [
        {"device": "abacus"},
        {"ranks": 0},
        {"priority": 11},
        {"block_rows": 0},
        {"page": -1},
        {"level": -1},
        {"batch": "x" * 300},
        {"webhook": "ftp://example.com/"},
        {"webhook": "http://user:secret@example.com/"},
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(client, parts, photo, edges, options):
    with pytest.raises(InvalidJobError):
        client.submit(photo, edges, **options)

    assert nothing_written(parts.store)


def test_a_missing_file_is_named(client, tmp_path, edges):
    with pytest.raises(MissingInputError, match=r"none\.png"):
        client.submit(tmp_path / "none.png", edges)


def test_an_object_of_the_store_is_used_where_it_lies(client, parts, photo, edges):
    parts.store.put_file("scans/a.jpg", photo)

    status = client.submit(parts.store.uri("scans/a.jpg"), edges)

    assert client.manifest(status.id).input.key == "scans/a.jpg"
    assert not list(parts.store.list(layout.UPLOADS))


def test_an_object_that_is_not_there_is_named(client, parts, edges):
    with pytest.raises(ObjectNotFoundError, match="scans/none"):
        client.submit(parts.store.uri("scans/none.jpg"), edges)


def test_an_input_outside_the_store_is_refused(client, edges):
    with pytest.raises(KeyRefusedError):
        client.submit("file:///etc/passwd", edges)


def test_an_output_may_be_an_object_or_a_folder(client, parts, photo, edges):
    exact = client.submit(photo, edges, output=parts.store.uri("out/edges.png"))
    folder = client.submit(photo, edges, output=parts.store.uri("out/x").removesuffix("x"))

    assert client.manifest(exact.id).output_key == "out/edges.png"
    assert client.manifest(exact.id).output_name == "edges.png"
    assert client.manifest(folder.id).output_key == "out/astronaut.jpg"


@pytest.mark.parametrize("key", ["jobs/x/result.json", "open/x", "uploads/y", "keys/z"])
def test_an_output_among_the_services_records_is_refused(client, parts, photo, edges, key):
    with pytest.raises(KeyRefusedError, match="records"):
        client.submit(photo, edges, output=parts.store.uri(key))


def test_an_output_elsewhere_is_refused(client, photo, edges):
    with pytest.raises(KeyRefusedError):
        client.submit(photo, edges, output="gs://bucket/x.png")
    with pytest.raises(KeyRefusedError, match="no URI"):
        client.submit(photo, edges, output="out.png")


def test_a_repeated_key_gives_the_same_job(client, parts, photo, edges):
    first = client.submit(photo, edges, key="k1")
    again = client.submit(photo, edges, key="k1")
    other = client.submit(photo, edges, key="k2")
    someone = client.submit(photo, edges, key="k1", user="someone")

    assert again.id == first.id
    assert len({first.id, other.id, someone.id}) == 3
    assert parts.queue.depth(Lane.SINGLE) == 3


def test_a_key_cannot_stand_for_other_steps(client, photo, edges):
    client.submit(photo, edges, key="k1")

    with pytest.raises(InvalidJobError, match="other steps"):
        client.submit(photo, "invert", key="k1")


def test_many_submissions_of_one_key_at_once_are_one_job(client, parts, photo, edges):
    start = threading.Barrier(8)
    ids = []

    def submit():
        start.wait()
        ids.append(client.submit(photo, edges, key="at once").id)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert parts.queue.depth(Lane.SINGLE) == 1
    assert reconcile(parts).queued == 0


def test_a_submission_succeeds_while_redis_is_away(client, parts, photo, edges, settings):
    away = Client(dataclasses.replace(parts, queue=AwayQueue(), board=AwayQueue()), settings)

    status = away.submit(photo, edges)

    assert client.status(status.id).state is JobState.QUEUED
    assert not parts.queue.contains(status.id)
    assert reconcile(parts).queued == 1
    assert parts.queue.contains(status.id)


def test_a_job_for_several_ranks_starts_in_the_gang_lane(client, parts, photo, edges):
    client.submit(photo, edges, ranks=2)

    assert parts.queue.depth(Lane.GANG) == 1


def test_an_unknown_id_is_named(client):
    for call in (client.status, client.manifest, client.cancel, client.retry, client.result):
        with pytest.raises(JobNotFoundError):
            call("20260101-000000-aaaaaaaaaa")
        with pytest.raises(JobNotFoundError):
            call("../../etc/passwd")


def test_a_waiting_job_is_cancelled_at_once(client, parts, photo, edges):
    job = client.submit(photo, edges)

    assert client.cancel(job.id).state is JobState.CANCELLED
    assert client.status(job.id).state is JobState.CANCELLED
    assert parts.store.stat(layout.open_key(job.id)) is None
    with pytest.raises(JobFailedError, match="cancelled"):
        client.result(job.id)


def test_a_cancelled_job_can_be_cancelled_again_and_retried(client, parts, photo, edges):
    job = client.submit(photo, edges)
    client.cancel(job.id)
    client.cancel(job.id)

    assert client.retry(job.id).state is JobState.QUEUED
    assert client.status(job.id).state is JobState.QUEUED
    assert parts.store.stat(layout.open_key(job.id)) is not None
    assert not parts.board.cancel_requested(job.id)


def test_a_job_that_has_not_ended_is_not_retried(client, photo, edges):
    job = client.submit(photo, edges)

    with pytest.raises(JobStateError, match="has not ended"):
        client.retry(job.id)


def test_the_result_of_a_waiting_job_is_refused(client, photo, edges):
    with pytest.raises(JobStateError, match="has not ended"):
        client.result(client.submit(photo, edges).id)


def test_the_store_alone_tells_the_state(client, parts, photo, edges):
    job = client.submit(photo, edges)
    parts.board.delete(job.id)
    assert client.status(job.id).state is JobState.QUEUED

    failure = Failure(
        job_id=job.id, attempt=1, kind="DamagedInputError", message="broken", exit_code=3, retryable=False
    )
    parts.records.fail(failure)
    assert client.status(job.id).state is JobState.FAILED
    assert client.status(job.id).exit_code == 3

    parts.records.cancel(job.id)
    assert client.status(job.id).state is JobState.CANCELLED


def test_watching_a_finished_job_yields_its_end_and_stops(client, photo, edges):
    job = client.submit(photo, edges)
    client.cancel(job.id)

    assert [event.status.state for event in client.watch(job.id)] == [JobState.CANCELLED]


def test_watching_ends_after_the_time_given(client, photo, edges):
    job = client.submit(photo, edges)

    assert [event.type for event in client.watch(job.id, timeout_s=0.05)] == ["queued"]


def test_objects_below_a_uri_are_listed(client, parts, photo):
    for name in ("scans/a.jpg", "scans/b.jpg", "other/c.jpg"):
        parts.store.put_file(name, photo)

    uris = client.objects(parts.store.uri("scans/x").removesuffix("x"))

    assert uris == [parts.store.uri("scans/a.jpg"), parts.store.uri("scans/b.jpg")]


def test_many_jobs_are_submitted_in_order(client, parts, photo, edges):
    names = [f"photo-{number:03}.jpg" for number in range(100)]

    done = client.submit_many(client.order(photo, edges, input_name=name) for name in names)

    assert [status.input_name for status in done] == names
    assert len({status.id for status in done}) == len(names)
    assert parts.queue.depth(Lane.SINGLE) == len(names)


def test_of_many_jobs_those_that_can_be_are_accepted_before_the_fault_is_raised(client, parts, photo, edges):
    orders = [client.order(photo, edges), client.order("none.png", edges), client.order(photo, edges)]

    with pytest.raises(MissingInputError):
        client.submit_many(orders)

    assert parts.queue.depth(Lane.SINGLE) == 2
    assert len(client.jobs()) == 2


def test_many_jobs_with_keys_are_the_same_jobs_again(client, parts, photo, edges):
    orders = [client.order(photo, edges, key=f"k{number}") for number in range(3)]

    first, second = client.submit_many(orders), client.submit_many([*orders, client.order(photo, edges)])

    assert [status.id for status in second[:3]] == [status.id for status in first]
    assert parts.queue.depth(Lane.SINGLE) == 4


def test_many_jobs_are_accepted_while_the_queue_is_away(client, parts, settings, photo, edges):
    away = Client(dataclasses.replace(parts, queue=AwayQueue()), settings)

    done = away.submit_many([away.order(photo, edges)] * 3)

    assert {status.state for status in done} == {JobState.QUEUED}
    assert reconcile(parts).queued == 3
    assert len(client.jobs()) == 3


def test_more_ranks_than_the_cluster_may_ever_have_cores_are_refused_at_once(parts, settings, photo, edges):
    growing = Client(parts, settings.model_copy(update={"nodes_max": 2, "node_cores": 4}))
    with pytest.raises(
        InvalidJobError, match=r"asks for 9 ranks, but .* more than 8 cores .* raise nodes_max"
    ):
        growing.submit(photo, edges, ranks=9)
    assert growing.submit(photo, edges, ranks=8).lane is Lane.GANG


def test_a_closed_client_leaves_no_connection_open_and_works_on_when_it_is_used(
    redis_server, redis_client, tmp_path
):
    settings = Settings.load(
        find_service=False, redis_url=redis_server.url, store_uri=(tmp_path / "store").as_uri()
    )
    before = len(redis_client.client_list())
    with Client.connect(settings) as client:
        client.cluster()
        assert len(redis_client.client_list()) > before

    while len(redis_client.client_list()) > before:  # the server notices a little later
        threading.Event().wait(0.01)
    assert client.jobs() == []
    client.close()
