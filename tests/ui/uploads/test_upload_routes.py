"""Uploads over the routes beside the page, and over real connections that break."""

import asyncio
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from pipeline.decisions.people import Person
from pipeline.decisions.places import Places
from pipeline.stores.links import sign_link, sign_user_link
from pipeline.uploads.checksum import extended, spelled
from ui.uploads.links import begin_link
from ui.uploads.routes import upload_routes

SECRET = b"of the tests"
DATA = bytes(range(256)) * 9000
SIZE_BYTES = len(DATA)
CRC32C = spelled(extended(0, DATA))


class Browser:
    """Sends requests to the routes, as the page's part does."""

    def __init__(self, app, user="ann"):
        self._app = app
        self._begin = begin_link(SECRET, user, time.time())

    def request(self, method, url, **more):
        async def ask():
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
                return await client.request(method, url, **more)

        return asyncio.run(ask())

    def begin(self, name="cat.tif", size_bytes=SIZE_BYTES, **more):
        return self.request("POST", self._begin, json={"name": name, "size_bytes": size_bytes, **more})

    def send(self, links, data, offset):
        return self.request("PATCH", links["PATCH"], content=data, headers={"upload-offset": str(offset)})

    def offset(self, links):
        return int(self.request("HEAD", links["GET"]).headers["upload-offset"])

    def finish(self, links, crc32c=CRC32C):
        return self.request("POST", links["POST"], json={"crc32c": crc32c})


@pytest.fixture
def app(client):
    return Starlette(routes=upload_routes(lambda: SECRET, lambda _user: client.uploads()))


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def begun(browser):
    return browser.begin().json()


def test_what_is_sent_in_pieces_becomes_the_input_of_a_job(browser, client, begun):
    assert browser.send(begun["links"], DATA[:1_000_000], 0).status_code == 204
    assert browser.offset(begun["links"]) == 1_000_000
    assert browser.send(begun["links"], DATA[1_000_000:], 1_000_000).headers["upload-offset"] == str(
        len(DATA)
    )
    answer = browser.finish(begun["links"])
    assert answer.json() == {"id": begun["id"], "name": "cat.tif", "size_bytes": len(DATA)}
    uploads = client.uploads()
    job = client.submit(uploads.uri(uploads.find(begun["id"])), "invert")
    found = client.manifest(job.id).input
    assert client.open_object(found.key).read_bytes() == DATA


def test_an_input_appears_when_all_of_it_is_there_and_not_before(browser, parts, begun):
    browser.send(begun["links"], DATA, 0)
    assert not [info for info in parts.store.list("uploads/") if info.key.endswith("cat.tif")]
    browser.finish(begun["links"])
    assert [info.size_bytes for info in parts.store.list("uploads/") if info.key.endswith("cat.tif")] == [
        len(DATA)
    ]


def test_an_end_whose_answer_was_lost_is_told_once_more(browser, begun):
    browser.send(begun["links"], DATA, 0)
    assert [browser.finish(begun["links"]).status_code for _ in range(2)] == [200, 200]
    assert browser.finish(begun["links"], "AAAAAA==").status_code == 422


def test_bytes_that_do_not_go_on_where_the_upload_stands_are_refused_with_its_offset(browser, begun):
    browser.send(begun["links"], DATA[:5000], 0)
    for offset in (0, 6000):
        answer = browser.send(begun["links"], DATA[offset:], offset)
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "5000")
    assert browser.offset(begun["links"]) == 5000


def test_more_bytes_than_were_announced_are_refused(browser, begun):
    answer = browser.send(begun["links"], DATA + b"x", 0)
    assert answer.status_code == 409
    assert str(len(DATA)) in answer.json()["error"]


def test_an_upload_does_not_end_before_all_its_bytes_are_there(browser, begun):
    browser.send(begun["links"], DATA[:-1], 0)
    answer = browser.finish(begun["links"])
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, str(len(DATA) - 1))


def test_other_bytes_than_the_browser_has_read_are_refused_removed_and_logged(browser, parts, begun, capsys):
    browser.send(begun["links"], DATA[:-1] + b"!", 0)
    answer = browser.finish(begun["links"])
    assert answer.status_code == 422
    assert CRC32C in answer.json()["error"]
    assert "send it again" in answer.json()["error"]
    assert not list(parts.store.list("uploads/"))
    assert "did not arrive as it was sent" in "".join(capsys.readouterr())
    assert browser.request("HEAD", begun["links"]["GET"]).status_code == 404


def test_an_upload_is_gone_on_with_by_its_id_and_its_file(browser, begun):
    browser.send(begun["links"], DATA[:5000], 0)
    again = browser.begin(resume=begun["id"]).json()
    assert (again["id"], again["offset"]) == (begun["id"], 5000)
    assert again["crc32c"] == spelled(extended(0, DATA[:5000]))
    assert browser.begin(resume=begun["id"], name="dog.tif").json()["id"] != begun["id"]
    assert browser.begin(resume="20260101-000000-abcdefghij").json()["offset"] == 0


def test_a_cancelled_upload_leaves_nothing(browser, parts, tmp_path, begun):
    browser.send(begun["links"], DATA[:5000], 0)
    assert browser.request("DELETE", begun["links"]["DELETE"]).status_code == 204
    assert not list(parts.store.list("uploads/"))
    assert not list((tmp_path / "store" / "staging").iterdir())


def test_what_is_whole_is_not_cancelled(browser, client, begun):
    browser.send(begun["links"], DATA, 0)
    browser.finish(begun["links"])
    browser.request("DELETE", begun["links"]["DELETE"])
    assert client.uploads().progress(client.uploads().find(begun["id"])).finished


@pytest.mark.parametrize(
    "words",
    [{}, {"name": 1, "size_bytes": 2}, {"name": "a", "size_bytes": True}, {"name": "a", "size_bytes": 0}],
)
def test_a_beginning_that_makes_no_sense_is_refused_with_a_sentence(browser, words):
    answer = browser.request("POST", browser._begin, json=words)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_request_with_endless_words_is_refused(browser):
    answer = browser.request("POST", browser._begin, content=b"[" * 100_000)
    assert (answer.status_code, "16384 bytes" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("body", [b"[" * 16_000, b'{"name": "\\ud800", "size_bytes": 0}'])
def test_words_that_no_answer_could_hold_are_refused_with_a_sentence(browser, body):
    answer = browser.request("POST", browser._begin, content=body)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


@pytest.mark.parametrize("stated", ["", "-1", "9" * 5000, "\u0663".encode()])
def test_an_offset_that_is_no_number_of_bytes_is_refused_with_a_sentence(browser, begun, stated):
    answer = browser.request(
        "PATCH", begun["links"]["PATCH"], content=b"x", headers={"upload-offset": stated}
    )
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def test_every_method_needs_a_link_of_its_own_for_this_upload(browser, begun, capsys):
    other = browser.begin().json()
    links = begun["links"]
    query = links["PATCH"].partition("?")[2]
    tried = [
        browser.request("DELETE", f"{links['DELETE'].partition('?')[0]}?{query}"),
        browser.request("PATCH", f"{other['links']['PATCH'].partition('?')[0]}?{query}", content=b"x"),
        browser.request("PATCH", links["PATCH"].partition("?")[0], content=b"x"),
        browser.request("POST", "/uploads", json={"name": "a.tif", "size_bytes": 1}),
    ]
    assert [answer.status_code for answer in tried] == [403] * 4
    assert "".join(capsys.readouterr()).count("refused") == 4


def test_an_expired_link_says_so(browser, begun):
    query = sign_user_link(
        SECRET, f"uploads/{begun['id']}", "ann", method="PATCH", expires_at=int(time.time()) - 5
    )
    answer = browser.request("PATCH", f"/uploads/{begun['id']}?{query}", content=b"x")
    assert (answer.status_code, "expired" in answer.json()["error"]) == (403, True)


def test_a_link_to_a_file_opens_no_upload(browser, begun):
    query = sign_link(SECRET, f"uploads/{begun['id']}", expires_at=int(time.time()) + 60)
    assert browser.request("HEAD", f"/uploads/{begun['id']}?{query}").status_code == 403


def test_an_upload_is_its_users_alone(client, parts, begun):
    object.__setattr__(parts, "places", Places(private=True))
    parts.__dict__.pop("records", None)
    desks = {name: client.acting_for(Person(name)) for name in ("local", "eve")}
    app = Starlette(routes=upload_routes(lambda: SECRET, lambda user: desks[user].uploads()))
    key = f"uploads/{begun['id']}"
    for user, status in (("local", 200), ("eve", 404)):
        query = sign_user_link(SECRET, key, user, method="GET", expires_at=int(time.time()) + 60)
        assert Browser(app).request("HEAD", f"/uploads/{begun['id']}?{query}").status_code == status


@pytest.fixture
def server(app):
    """Run the routes behind a real server; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield port
    running.should_exit = True
    thread.join()


def half_sent(port, link, data, whole_bytes):
    """Send the head of a request and a part of its body; return the open connection."""
    connection = socket.create_connection(("127.0.0.1", port))
    head = f"PATCH {link} HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\nContent-Length: {whole_bytes}\r\n\r\n"
    connection.sendall(head.encode() + data)
    return connection


def test_what_came_before_a_cut_is_kept_to_the_byte(server, browser, begun):
    half_sent(server, begun["links"]["PATCH"], DATA[:1_234_567], len(DATA)).close()
    while browser.offset(begun["links"]) < 1_234_567:
        time.sleep(0.01)
    browser.send(begun["links"], DATA[1_234_567:], 1_234_567)
    assert browser.finish(begun["links"]).status_code == 200


def test_a_connection_that_hangs_does_not_write_after_another_went_on(server, browser, begun):
    hanging = half_sent(server, begun["links"]["PATCH"], DATA[:2_000_000], len(DATA))
    while (offset := browser.offset(begun["links"])) == 0:
        time.sleep(0.01)
    assert browser.send(begun["links"], DATA[offset:], offset).status_code == 204
    hanging.sendall(b"\0" * (len(DATA) - 2_000_000))
    assert b" 409 " in hanging.recv(100)
    hanging.close()
    assert browser.finish(begun["links"]).status_code == 200
