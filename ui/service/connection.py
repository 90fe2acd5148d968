"""The one connection that the page's sessions and routes share, and the client of who looks at the page."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.decisions.routing import Cores
from pipeline.desks.operators import OperatorDesk
from pipeline.errors import LinkError
from pipeline.previews.pool import Previews
from pipeline.previews.tiles import TileReaders
from ui.following.feed import JobFeed
from ui.service.login import visitor
from ui.service.tickets import name_of, viewer_of

PATIENCE_S = 4.0
"""For how long a drawing of the page waits for Redis, which an embedded service has back sooner."""


@cache
def settings() -> Settings:
    """Return the settings of this process. Raises SettingsError."""
    return Settings.load()


@cache
def connection() -> Client:
    """Return a client for the program itself, connected on the first call; a failure is tried again.

    Raises
    ------
    HalorowError
        if the service cannot be reached.

    """
    return Client.connect(settings(), patience_s=PATIENCE_S)


@cache
def previews() -> Previews:
    """Return the processes that make previews, none of which is there before it is needed."""
    return Previews(settings().preview_processes, settings().preview_idle_s)


def capacity() -> Cores:
    """Return the cores that a world may use."""
    return Cores(settings().world_cores)


def client() -> Client:
    """Return the client of who looks at the page: of their own jobs, or of all where there is no login.

    Raises
    ------
    HalorowError
        if the service cannot be reached.

    """
    name = visitor(settings())
    return connection() if name is None else connection().acting_for(settings().person(name))


def client_of(name: str) -> Client:
    """Return the client of a user whom a signed link names.

    Raises
    ------
    HalorowError
        if the service cannot be reached, or the user is let in no longer.

    """
    if not settings().has_login:
        return connection()
    if not settings().may_enter(name):
        raise LinkError(f"{name} is not let in here any more; ask the operator")
    return connection().acting_for(settings().person(name))


def viewer() -> str:
    """Return how the routes beside the page name who looks at it."""
    return viewer_of(visitor(settings()))


def client_for(viewer: str) -> Client:
    """Return the client of a viewer whom a ticket names.

    Raises
    ------
    HalorowError
        if the service cannot be reached, or the viewer is let in no longer.

    """
    name = name_of(viewer)
    if name is not None:
        return client_of(name)
    if settings().has_login:
        raise LinkError("the page asks for a login by now; reload it")
    return connection()


@cache
def feed() -> JobFeed:
    """Return what knows the jobs of whoever looks."""

    def client_and_sight(viewer: str) -> tuple[Client, Callable[[str], bool]]:
        name = name_of(viewer)
        sees = (lambda _user: True) if name is None else settings().person(name).may_see
        return client_for(viewer), sees

    return JobFeed(lambda: connection(), client_and_sight)  # noqa: PLW0108  (looked up when it is called)


@cache
def tile_readers() -> TileReaders:
    """Return what makes the tiles of jobs' images."""
    return TileReaders(settings().preview_processes, settings().preview_idle_s)


def user() -> str:
    """Return the name of who looks at the page."""
    return visitor(settings()) or settings().user


def is_operator() -> bool:
    """Whether who looks at the page is an operator; where there is no login everybody is."""
    name = visitor(settings())
    return name is None or settings().person(name).is_operator


@cache
def operator_connection() -> OperatorDesk:
    """Return what operators are answered by; it is there though the service cannot be reached."""
    return OperatorDesk.open(settings())


def operator_desk() -> OperatorDesk:
    """Return the same for who looks at the page.

    Raises
    ------
    RoleError
        if that is no operator.

    """
    name = visitor(settings())
    return operator_connection().acting_for(None if name is None else settings().person(name))


def link_secret() -> bytes:
    """Return the secret that links are signed with."""
    return settings().link_secret.get_secret_value().encode()


def archive(key: str) -> Iterator[bytes]:
    """Yield an archive of the image of many objects below a key."""
    return connection().archive(key)


def find_file(key: str) -> Path | None:
    """Return the local file of an object, None where it is not on this machine."""
    return connection().open_object(key)
