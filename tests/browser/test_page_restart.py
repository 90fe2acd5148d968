"""A page whose server is killed and started again, while somebody looks at it."""

import pytest
from playwright.sync_api import expect

from pipeline.client import Client
from pipeline.connect import connect_parts
from tests.browser.page_alone import page_alone

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_list_of_jobs_goes_on_when_the_page_s_server_was_killed(
    visit, redis_server, tmp_path, pytestconfig
):
    image = pytestconfig.rootpath / "tests" / "images" / "coins.png"
    with (
        page_alone(tmp_path, redis_server.url) as page,
        Client(connect_parts(page.settings), page.settings) as client,
    ):
        before = client.submit(image, "invert", batch="restart")
        client.submit(image, "sobel", batch="others")
        visit.goto(f"{page.address}/jobs?find=batch:restart")
        expect(visit.locator(f".st-key-job_{before.id}")).to_be_visible()
        page.process.kill()
        page.process.wait()
        after = client.submit(image, "median", batch="restart")

    with page_alone(tmp_path, redis_server.url, again_at=page.port):
        expect(visit.locator(f".st-key-job_{after.id}")).to_be_visible()
        expect(visit.locator(f".st-key-job_{before.id}")).to_be_visible()
        expect(visit.locator("li.job")).to_have_count(2)
        expect(visit.get_by_role("searchbox")).to_have_value("batch:restart")
