"""Tiles over HTTP: of one's own jobs, by a ticket for one image, made by real ranks."""

import asyncio
import io

import httpx
import numpy as np
import pytest
import tifffile
from PIL import Image
from starlette.applications import Starlette

from pipeline.decisions.people import Person
from pipeline.previews.tiles import TileReaders
from pipeline.stores.links import sign_link
from ui.routes.tiles import tile_routes, tiles_of
from ui.service.tickets import name_of, path_for, ticket, viewer_of

SECRET = b"of the tests"
ANN, BOB = viewer_of("ann"), viewer_of("bob")


@pytest.fixture(scope="module")
def readers():
    made = TileReaders(2)
    yield made
    made.close()


@pytest.fixture
def get(client, readers):
    def of(viewer):
        return client.acting_for(Person(str(name_of(viewer))))

    app = Starlette(routes=tile_routes(lambda: SECRET, lambda: readers, of))

    def ask(path):
        async def go():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as browser:
                return await browser.get(path)

        return asyncio.run(go())

    return ask


@pytest.fixture
def job(client, finish, tmp_path):
    """Give a finished job of Ann's, whose result is its input, and the pixels."""
    pixels = np.random.default_rng(3).integers(0, 256, (700, 900, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    made = client.acting_for(Person("ann")).submit(tmp_path / "a.tif", "invert")
    finish(made)
    return made.id, pixels


def address(viewer, job_id, side, what):
    known = tiles_of(SECRET, viewer, job_id, side)
    return f"{known['url']}/{what}?{known['ticket']}"


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_tile_has_the_pixels_of_its_side(get, job, side):
    job_id, pixels = job
    assert get(address(ANN, job_id, side, "survey.json")).json()["image"]["columns"] == 900
    answer = get(address(ANN, job_id, side, "1/1_0.png"))
    assert answer.headers["content-type"] == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), pixels[:512, 512:])


def test_a_ticket_is_for_one_image_of_one_viewer(get, job):
    job_id, _ = job
    leave = tiles_of(SECRET, ANN, job_id, "before")["ticket"]
    for viewer, side in ((ANN, "after"), (BOB, "before")):
        path = path_for(viewer, "tiles", job_id, side)
        assert get(f"/{path}/1/0_0.png?{leave}").status_code == 403
        assert get(f"/{path}/1/0_0.png").status_code == 403


def test_a_link_to_a_file_is_no_ticket_though_its_key_is_the_path(get, job):
    path = path_for(ANN, "tiles", job[0], "after")
    link = sign_link(SECRET, path, expires_at=2**33)
    assert get(f"/{path}/1/0_0.png?{link}").status_code == 403


def test_another_users_job_is_not_there(get, job):
    assert get(address(BOB, job[0], "after", "survey.json")).status_code == 404


def test_an_expired_ticket_opens_nothing(get, job):
    path = path_for(ANN, "tiles", job[0], "after")
    assert get(f"/{path}/survey.json?{ticket(SECRET, path, life_s=-7200)}").status_code == 403


def test_a_tile_beyond_the_image_is_refused_with_a_sentence(get, job):
    answer = get(address(ANN, job[0], "after", "1/9_9.png"))
    assert (answer.status_code, "no tile" in answer.text) == (422, True)


def test_a_tile_reduced_no_times_is_not_there(get, job):
    assert get(address(ANN, job[0], "after", "0/0_0.png")).status_code == 404
