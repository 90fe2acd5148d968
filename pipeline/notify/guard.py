"""Keeps a thread from connecting to anything that is not on the public Internet.

What a library connects to, and by how many names and redirects it comes there, is seen by Python itself:
every connection raises an audit event (PEP 578) with the very address before it is made. So nothing can be
resolved once for the check and once more for the call.
"""

import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pipeline.notify.public_addresses import is_public

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"})
_here = threading.local()


class ForbiddenAddressError(OSError):
    """Raised to whatever would connect to an address that is not public."""


@contextmanager
def only_public() -> Iterator[list[str]]:
    """Let this thread connect to public addresses alone; yield those that it was kept from."""
    _install()
    kept_from: list[str] = []
    before = getattr(_here, "kept_from", None)
    _here.kept_from = kept_from
    try:
        yield kept_from
    finally:
        _here.kept_from = before


@cache
def _install() -> None:
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    kept_from = getattr(_here, "kept_from", None)
    if kept_from is None:
        return
    address = arguments[1]
    host = str(address[0]).partition("%")[0] if isinstance(address, tuple) and address else repr(address)
    if event == "socket.bind" and host in {"", "0.0.0.0", "::"}:  # noqa: S104  (the source of a connection)
        return
    if not _may(host):
        kept_from.append(host)
        raise ForbiddenAddressError(f"{host} is not a public address")


def _may(host: str) -> bool:
    """Whether a connection may go to ``host``: names are refused too, since they are yet to be resolved."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return False
