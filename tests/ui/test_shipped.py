"""The scripts of the page's parts: sent as they are, and right by themselves, without a browser."""

import asyncio
import json
import subprocess

import httpx
import pytest
from playwright._impl._driver import compute_driver_executable
from starlette.applications import Starlette

from ui import shipped

LIBRARY = "static/openseadragon-6.1.1.min.js"
OURS = sorted(set(shipped.scripts()) - {LIBRARY})


def get(path):
    async def go():
        transport = httpx.ASGITransport(Starlette(routes=shipped.shipped_routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as browser:
            return await browser.get(path)

    return asyncio.run(go())


def run(code):
    """Return what a script prints as JSON; the engine of the browsers' driver carries it out."""
    node = compute_driver_executable()[0]
    command = [node, "--no-warnings", "--input-type=module", "--eval", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def imported(script, *names):
    return f'import {{ {", ".join(names)} }} from "{(shipped.ROOT / script).as_uri()}";'


def test_scripts_are_sent_for_good_below_the_digest_of_all():
    answer = get(shipped.address(LIBRARY))
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text.startswith("/*! OpenSeadragon 6.1.1, BSD-3-Clause")


@pytest.mark.parametrize("name", ["static/openseadragon-LICENSE.txt", "..%2fpage.py", "uploads/part.js"])
def test_nothing_else_is_sent(name):
    assert get(shipped.address(name)).status_code == 404


def test_scripts_of_another_release_are_not_sent():
    assert get(f"/shipped/0123456789abcdef/{OURS[0]}").status_code == 404


def test_every_script_is_sound_and_so_is_all_that_it_imports():
    addresses = [(shipped.ROOT / script).as_uri() for script in OURS if not script.endswith("worker.js")]
    code = f"for (const one of {json.dumps(addresses)}) await import(one); console.log({len(addresses)});"
    assert run(code) == len(addresses)


def test_the_checksum_is_the_one_of_the_service():
    code = imported("uploads/browser/crc32c.js", "sum", "spelled")
    code += 'const crc = await sum(new Blob(["1234", "56789"]), 0);'
    code += "console.log(JSON.stringify([(crc >>> 0).toString(16), spelled(crc)]));"
    assert run(code) == ["e3069283", "4waSgw=="]


@pytest.mark.parametrize(
    ("item", "note"),
    [
        ({"state": "waiting"}, "Waits for its turn"),
        ({"state": "sending", "sent": 0, "size": 8, "rate": {"bytes_per_s": 0}}, "0 %"),
        (
            {"state": "sending", "sent": 5e8, "size": 2e9, "rate": {"bytes_per_s": 1e7}},
            "25 % · 10.0 MB/s · 2 min 30 s left",
        ),
        (
            {"state": "lost", "problem": "The connection was lost.", "sent": 999},
            "The connection was lost. Trying again by itself, from 999 B on.",
        ),
    ],
)
def test_what_is_said_of_an_upload(item, note):
    code = imported("uploads/browser/words.js", "noteOf")
    assert run(f"{code} console.log(JSON.stringify(noteOf({json.dumps(item)})));") == note


def test_a_rate_is_that_of_the_last_seconds_and_begins_anew_when_bytes_are_gone():
    code = imported("uploads/browser/rate.js", "Rate")
    code += "let now = 0; performance.now = () => now; const rate = new Rate(); const said = [];"
    code += "for (const [at, sent] of [[0, 0], [1000, 1e6], [9000, 9e6], [9500, 9.5e6], [10000, 3]])"
    code += "{ now = at; rate.moved(sent); said.push(rate.bytes_per_s); } console.log(JSON.stringify(said));"
    assert run(code) == [0, 1e6, 1e6, 1e6, 0]
