"""Signed links to files of the local store, over the routes beside the page."""

import asyncio
import time
from urllib.parse import unquote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from pipeline.errors import StoreUnavailableError
from pipeline.images.archive import archive_of
from pipeline.stores.links import sign_link
from pipeline.stores.local import LocalStore
from ui.routes.files import UncompressedFiles, file_routes

SECRET = b"of the tests"
BASE = "http://testserver"
DATA = bytes(range(256)) * 20


class Browser:
    """Sends requests to an ASGI application, as a browser would send them to its server."""

    def __init__(self, app):
        self._app = app

    def request(self, method, url, **more):
        async def ask():
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, url, **more)

        return asyncio.run(ask())

    def get(self, url, **more):
        return self.request("GET", url, **more)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store", SECRET, BASE)


@pytest.fixture
def browser(store):
    app = Starlette(
        routes=file_routes(lambda: SECRET, store.local_path, lambda key: archive_of(store, key)),
        middleware=[Middleware(UncompressedFiles), Middleware(GZipMiddleware, minimum_size=10)],
    )
    return Browser(app)


@pytest.fixture
def link(store):
    store.put_bytes("results/j1/out.tif", DATA)
    return store.sign("results/j1/out.tif", filename="my cat.tif")


def signed(key, *, method="GET", life_s=60):
    return f"/files/{key}?{sign_link(SECRET, key, method=method, expires_at=int(time.time()) + life_s)}"


def test_a_link_brings_the_file_under_its_name(browser, link):
    answer = browser.get(link)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert "my%20cat.tif" in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_link_without_a_name_brings_the_file_under_the_name_of_its_key(browser, store):
    store.put_bytes("results/j1/out.tif", DATA)
    answer = browser.get(signed("results/j1/out.tif"))
    assert 'filename="out.tif"' in answer.headers["content-disposition"]


def test_a_file_is_never_run_in_the_origin_of_the_page(browser, link):
    headers = browser.get(link).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


def test_head_tells_the_size_without_the_file(browser, link):
    answer = browser.request("HEAD", link)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(DATA))


def test_a_range_brings_just_that_part(browser, link):
    answer = browser.get(link, headers={"range": "bytes=300-309"})
    assert (answer.status_code, answer.content) == (206, DATA[300:310])
    assert answer.headers["content-range"] == f"bytes 300-309/{len(DATA)}"


def test_a_range_beyond_the_end_is_refused(browser, link):
    assert browser.get(link, headers={"range": "bytes=99999999-"}).status_code == 416


def test_files_are_not_compressed_on_the_way(browser, link):
    answer = browser.get(link, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(len(DATA))


def test_without_a_signature_there_is_no_file(browser, link):
    answer = browser.get(link.split("?")[0])
    assert (answer.status_code, DATA in answer.content) == (403, False)


def test_a_link_for_one_file_does_not_open_another(browser, store, link):
    store.put_bytes("results/j2/out.tif", b"secret")
    assert browser.get(link.replace("/j1/", "/j2/")).status_code == 403


def test_an_expired_link_says_so(browser, store):
    store.put_bytes("a", DATA)
    answer = browser.get(signed("a", life_s=-5))
    assert answer.status_code == 403
    assert "expired" in answer.text


def test_a_link_for_writing_does_not_read(browser, store):
    store.put_bytes("a", DATA)
    assert browser.get(signed("a", method="PUT")).status_code == 403


def test_a_valid_link_to_what_is_gone_is_a_404(browser):
    answer = browser.get(signed("results/gone.tif"))
    assert (answer.status_code, answer.text) == (404, "404: there is no such file any more\n")


@pytest.mark.parametrize(
    "key", ["..%2f..%2fetc%2fpasswd", "a%2f..%2f..%2fb", "%2fetc%2fpasswd", "a%5c..%5cb", "a%00b"]
)
def test_even_a_signed_key_does_not_lead_out_of_the_store(browser, key):
    query = sign_link(SECRET, unquote(key), expires_at=int(time.time()) + 60)
    assert browser.get(f"/files/{key}?{query}").status_code == 404


def test_other_methods_are_not_offered(browser, link):
    assert [browser.request(method, link).status_code for method in ("PUT", "DELETE")] == [405, 405]


def test_a_store_that_does_not_answer_is_a_503():
    def away(_key):
        raise StoreUnavailableError("the store does not answer; try again")

    answer = Browser(Starlette(routes=file_routes(lambda: SECRET, away, away))).get(signed("a"))
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


def test_the_page_answers_that_it_is_alive(browser):
    assert browser.get("/healthz").text == "ok\n"
