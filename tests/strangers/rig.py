"""A service with a login, two users' jobs in it, and a way to see what it logs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import structlog
from starlette.applications import Starlette

from pipeline.access.refusals import EVENT
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.memory.parts import memory_parts
from pipeline.models import JobStatus, ObjectRef, Result
from pipeline.records.settle import settle
from pipeline.stores.links import link_url, sign_link
from pipeline.stores.local import LocalStore
from ui.routes.files import file_routes

SECRET = "of the strangers"  # noqa: S105  (of tests)
BASE = "http://127.0.0.1:8501"
PHOTO = Path(__file__).parents[1] / "images" / "coins.png"
PIXELS = b"what ada's job made"


class Rig:
    """The parts of a service, its page's routes, and clients for ada, bob and an operator."""

    def __init__(self, folder: Path) -> None:
        """Keep everything below ``folder``; ada has a finished job, whose result bob would like to have."""
        self.settings = Settings.load(
            find_service=False,
            data_dir=folder,
            link_secret=SECRET,
            login_metadata_url="https://id.example/.well-known/openid-configuration",
            login_client_id="halorow",
            login_client_secret="unused here",  # noqa: S106  (as above)
            operators="olga@example.com",
            input_buckets="open-scans",
            user_jobs_per_minute=50,
            user_queued_pixels=10_000_000,
            smtp_host="mail.example",
            mail_from="halorow@example.com",
        )
        self.store = LocalStore(folder / "store", SECRET.encode(), BASE, durable=False)
        self.outside = folder / "outside.txt"
        self.outside.write_text("not for strangers")
        self.parts = memory_parts(self.store, places=self.settings.places)
        self.anybody = Client(self.parts, self.settings)
        self.ada, self.bob, self.olga = (
            self.anybody.acting_for(self.settings.person(name))
            for name in ("ada@example.com", "bob@example.com", "olga@example.com")
        )
        self.job = self._finished(self.ada.submit(PHOTO, "invert"))
        self.waiting = self.ada.submit(PHOTO, "invert")
        routes = file_routes(SECRET.encode, self.anybody.open_object, self.anybody.archive)
        self._app = Starlette(routes=routes)

    def _finished(self, status: JobStatus) -> str:
        key = f"jobs/{status.id}/output-0001-coins.png"
        info = self.store.put_bytes(key, PIXELS)
        made = ObjectRef(key=key, size_bytes=info.size_bytes, generation=info.generation)
        result = Result(
            job_id=status.id, attempt=1, output=made, output_name="coins.png", pixels_sha256="", report={}
        )
        self.parts.records.commit(result)
        claim = self.parts.queue.claim(status.lane, "w", 0)
        settle(
            self.parts.records, self.parts.news, self.parts.records.manifest(status.id), result, claim=claim
        )
        return status.id

    @property
    def output(self) -> str:
        """The key of what ada's job made."""
        return f"jobs/{self.job}/output-0001-coins.png"

    def uri(self, key: str) -> str:
        """Return the URI of anything below the store's objects, well-formed or not."""
        return f"{self.store.uri('x').removesuffix('x')}{key}"

    def link(self, *, key: str | None = None, life_s: float = 60, method: str = "GET") -> str:
        """Return a link signed by the service."""
        chosen = key or self.output
        expires_at = int(time.time() + life_s)
        query = sign_link(SECRET.encode(), chosen, method=method, expires_at=expires_at)
        return link_url(BASE, chosen, query)

    def ask(self, url: str, method: str = "GET") -> httpx.Response:
        """Send a request to the page's routes."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as browser:
                return await browser.request(method, url)

        return asyncio.run(send())


@contextmanager
def refusals() -> Iterator[list[dict[str, Any]]]:
    """Give the refusals that are logged inside the block."""
    found: list[dict[str, Any]] = []
    with structlog.testing.capture_logs() as lines:
        yield found
    found += [line for line in lines if line["event"] == EVENT]
