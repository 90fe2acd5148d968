"""A store under test, and what a holder of its links can do with them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httpx
from fakes.gcs.server import FakeGcs

from pipeline.errors import LinkError
from pipeline.ports import ObjectStore
from pipeline.stores.links import Link, verify_link

SECRET = b"a secret for tests only"
BASE_URL = "http://localhost:8501"


@dataclass
class StoreHarness:
    """A store and the server's side of its links.

    Attributes
    ----------
    name: of the kind of store.
    store: under test.
    follow: takes link and method; returns the body, or raises LinkError where the server refuses.
    advance: sets the clock by which links expire ahead by seconds.

    """

    name: str
    store: ObjectStore
    follow: Callable[[str, str], bytes]
    advance: Callable[[float], None]


@dataclass
class SignedRoute:
    """What the HTTP route does with a link of a local or memory store, without HTTP."""

    store: ObjectStore
    ahead_s: float = 0.0
    followed: list[Link] = field(default_factory=list)

    def follow(self, link: str, method: str) -> bytes:
        """Verify the link and return the object."""
        parts = urlsplit(link)
        key = unquote(parts.path.partition("/files/")[2])
        verified = verify_link(SECRET, key, parts.query, method=method, now=time.time() + self.ahead_s)
        self.followed.append(verified)
        return self.store.get_bytes(verified.key) if method == "GET" else b""

    def advance(self, seconds: float) -> None:
        """Set the clock ahead."""
        self.ahead_s += seconds


def follow_over_http(link: str, method: str) -> bytes:
    """Send the request that a browser would send."""
    response = httpx.request(method, link, content=b"put" if method == "PUT" else None, trust_env=False)
    if response.is_client_error:
        raise LinkError(response.text)
    response.raise_for_status()
    return response.content


def fake_harness(store: ObjectStore, fake: FakeGcs) -> StoreHarness:
    """Return a harness for a store on the fake."""
    return StoreHarness("gcs", store, follow_over_http, fake.advance)


def route_harness(name: str, store: ObjectStore) -> StoreHarness:
    """Return a harness for a store whose links the service signs itself."""
    route = SignedRoute(store)
    return StoreHarness(name, store, route.follow, route.advance)
