"""Browsers follow jobs and fetch results by routes, each viewer their own."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from pipeline.decisions.people import Person
from pipeline.errors import QueueUnavailableError
from pipeline.models import JobState
from pipeline.records.statuses import event_of
from ui.following.feed import JobFeed
from ui.routes.live import TICKET_HEADER, live_routes
from ui.service.tickets import name_of, path_for, ticket, viewer_of

SECRET = b"of the tests"
ANN, BOB = viewer_of("ann@x.org"), viewer_of("bob|x/y")


@pytest.fixture
def people(client):
    """Give the client of whom a viewer stands for, and what they see."""

    def of(viewer):
        person = Person(str(name_of(viewer)))
        return client.acting_for(person), person.may_see

    return of


@pytest.fixture
def feed(client, people):
    made = JobFeed(lambda: client, people)
    yield made
    made.close()


@pytest.fixture
def get(feed, people):
    routes = live_routes(lambda: SECRET, lambda: feed, lambda viewer: people(viewer)[0])
    app = Starlette(routes=routes)

    def ask(path, **more):
        async def go():
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://testserver"
            ) as browser:
                return await browser.get(path, **more)

        return asyncio.run(go())

    return ask


def jobs_of(get, viewer, query="", signed_for=None):
    path = path_for(viewer, "live/jobs")
    leave = ticket(SECRET, path_for(signed_for or viewer, "live/jobs"))
    return get(f"/{path}?{query}", headers={TICKET_HEADER: leave})


@pytest.fixture
def submit(people, tmp_path):
    (tmp_path / "a.tif").write_bytes(b"no image")

    def of(viewer):
        return people(viewer)[0].submit(tmp_path / "a.tif", "invert")

    return of


def test_a_viewer_sees_their_own_jobs_alone(get, submit):
    mine, _ = submit(ANN), submit(BOB)
    seen = jobs_of(get, ANN).json()
    assert (seen["ids"], seen["known"]) == ([mine.id], 1)


@pytest.mark.parametrize("leave", ["", "method=GET&expires=1&signature=abc"])
def test_without_a_ticket_nobody_is_told_anything(get, submit, leave):
    submit(ANN)
    answer = get(f"/{path_for(ANN, 'live/jobs')}", headers={TICKET_HEADER: leave})
    assert answer.status_code == 403


def test_the_ticket_of_one_viewer_is_none_of_another(get, submit):
    submit(ANN)
    assert jobs_of(get, ANN, signed_for=BOB).status_code == 403


def test_what_happens_is_told_without_the_list_being_read_again(get, submit, feed, parts):
    job = submit(ANN)
    first = jobs_of(get, ANN).json()
    feed._viewers[ANN].read_s = float("inf")
    parts.bus.publish(event_of(job.model_copy(update={"state": JobState.RUNNING})))
    known = f"epoch={first['epoch']}&since={first['seq']}"
    while not (cards := jobs_of(get, ANN, known).json()["cards"]):
        pass
    assert [card["badge"]["label"] for card in cards] == ["Running"]


def test_a_job_that_was_deleted_is_gone_at_the_next_look(get, submit, feed, people):
    job = submit(ANN)
    assert jobs_of(get, ANN).json()["ids"] == [job.id]
    client = people(ANN)[0]
    client.cancel(job.id)
    client.delete(job.id)
    feed.refresh(ANN)
    assert jobs_of(get, ANN).json()["known"] == 0


def test_a_service_that_is_away_is_said_with_a_503(get, feed, monkeypatch):
    def away(_viewer):
        raise QueueUnavailableError("Redis does not answer; start the service")

    monkeypatch.setattr(feed, "_client_of", away)
    answer = jobs_of(get, ANN)
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


def test_a_result_is_reached_by_a_link_made_when_it_is_needed(get, submit, finish):
    job = submit(ANN)
    finish(job)
    card = jobs_of(get, ANN).json()["cards"][0]
    answer = get(card["download"])
    assert answer.status_code == 307
    assert urlsplit(answer.headers["location"]).path.startswith(f"/files/jobs/{job.id}/")


def test_the_result_of_another_is_not_there(get, submit, finish):
    job = submit(BOB)
    finish(job)
    path = path_for(ANN, "live/download", job.id)
    assert get(f"/{path}?{ticket(SECRET, path)}").status_code == 404


def test_the_address_of_one_result_does_not_open_another(get, submit, finish):
    one, other = submit(ANN), submit(ANN)
    finish(one)
    finish(other)
    path = path_for(ANN, "live/download", one.id)
    query = ticket(SECRET, path)
    assert get(f"/{path_for(ANN, 'live/download', other.id)}?{query}").status_code == 403


@pytest.mark.parametrize("name", ["ann", "auth0|a/b", "ä@b.c", None])
def test_names_survive_in_paths(name):
    assert name_of(viewer_of(name)) == name
