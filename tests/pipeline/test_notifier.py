"""Ends of jobs passed on to the page and to a real HTTP server."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from pipeline import layout, notifier
from pipeline.models import JobState
from pipeline.notifier import Notifier
from pipeline.notify import pace
from pipeline.notify.sender import Sender
from pipeline.webhooks import signature, webhook_key

SECRET = b"webhook secret"
WAIT_S = 20


class Receiver(ThreadingHTTPServer):
    """Takes webhooks, and answers with the status codes it is told to, then with 204."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = []
        self.got = []
        self.came = threading.Semaphore(0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()
        self.server.came.release()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def notifying(service, monkeypatch):
    """Give a function that runs a notifier in the background; all end with the test."""
    monkeypatch.setattr(pace, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(notifier, "LISTEN_S", 0.02)
    running = []

    def start(*, operators=("local",), per_minute=0, **how):
        sender = Sender(SecretStr(SECRET.decode()), **how)
        one = Notifier(service.parts, sender, operators=operators, per_minute=per_minute)
        thread = threading.Thread(target=one.run)
        thread.start()
        running.append((one, thread))
        return one

    def stop():
        for one, thread in running:
            one.stop()
            thread.join()
        running.clear()

    start.stop = stop
    yield start
    stop()


def notices_of(service):
    """Return the user's notices as soon as there are any."""
    pause = threading.Event()
    for _ in range(WAIT_S * 100):
        found = service.client.notices("local")
        if found:
            return found
        pause.wait(0.01)
    return []


def test_a_webhook_is_told_once_with_a_signature(service, notifying, receiver):
    notifying(allow_private=True)
    job = service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()

    assert receiver.came.acquire(timeout=WAIT_S)
    notifying.stop()
    path, headers, body = receiver.got[0]
    told = json.loads(body)
    assert path == "/hook?x=1"
    assert (told["job"], told["state"]) == (job, "succeeded")
    assert told["pixels_sha256"] == service.client.result(job).pixels_sha256
    assert headers["X-Halorow-Signature"] == signature(
        webhook_key(SECRET, "local"), headers["X-Halorow-Timestamp"], body
    )
    assert service.parts.store.stat(layout.outbox_key(job)) is None

    notifying(allow_private=True)
    notices_of(service)
    notifying.stop()
    assert len(receiver.got) == 1


def test_a_webhook_that_answers_503_is_told_again(service, notifying, receiver):
    receiver.answers = [503, 503]
    notifying(allow_private=True)
    service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()

    for _ in range(3):
        assert receiver.came.acquire(timeout=WAIT_S)
    assert len({headers["X-Halorow-Delivery"] for _, headers, _ in receiver.got}) == 1


def test_what_ended_while_the_notifier_was_away_is_told_at_its_start(service, notifying, receiver):
    job = service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()

    notifying(allow_private=True)

    assert receiver.came.acquire(timeout=WAIT_S)
    assert [notice.job_id for notice in notices_of(service)] == [job]


def test_a_private_address_is_not_called_and_not_tried_again(service, notifying, receiver):
    job = service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()
    notifying()
    assert notices_of(service)
    notifying.stop()

    assert receiver.got == []
    assert service.parts.store.stat(layout.outbox_key(job)) is None


def test_a_retry_is_told_as_an_end_of_its_own(service, notifying, receiver):
    notifying(allow_private=True)
    job = service.submit(webhook=receiver.url)
    service.client.cancel(job)
    assert receiver.came.acquire(timeout=WAIT_S)
    service.client.retry(job)
    service.runner(service.stage).work_once()
    service.runner(service.stage).work_once()

    assert receiver.came.acquire(timeout=WAIT_S)
    assert [json.loads(body)["state"] for _, _, body in receiver.got] == ["cancelled", "succeeded"]
    assert service.client.status(job).state is JobState.SUCCEEDED
