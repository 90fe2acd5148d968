"""The one client that the page's sessions and routes share."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pipeline.client import Client
from pipeline.config import Settings


@cache
def settings() -> Settings:
    """Return the settings of this process. Raises SettingsError."""
    return Settings.load()


@cache
def client() -> Client:
    """Return the client, connected on the first call; a failure is tried again on the next.

    Raises
    ------
    HalorowError
        if the service cannot be reached.

    """
    return Client.connect(settings())


def link_secret() -> bytes:
    """Return the secret that links are signed with."""
    return settings().link_secret.get_secret_value().encode()


def archive(key: str) -> Iterator[bytes]:
    """Yield an archive of the image of many objects below a key."""
    return client().archive(key)


def find_file(key: str) -> Path | None:
    """Return the local file of an object, None where it is not on this machine."""
    return client().open_object(key)
