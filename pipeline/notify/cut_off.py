"""Ends what a thread's connections are at when a call has taken too long.

A library's timeouts are for each read: a receiver that sends a byte now and then holds its caller for ever.
As in ``pipeline.notify.guard`` Python's audit events (PEP 578) tell of the connections, whoever makes them.
"""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

_here = threading.local()


class _Call:
    """The connections of one call; they can be ended from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._is_over = False

    def add(self, connecting: socket.socket) -> None:
        """Remember a connection by a descriptor of its own: TLS takes the first one away."""
        with self._lock:
            if self._is_over:
                raise TimeoutError("the call has taken too long")
            self._connections.append(socket.socket(fileno=os.dup(connecting.fileno())))

    def end(self) -> None:
        """Let nothing come or go any more."""
        with self._lock:
            self._is_over = True
            for one in self._connections:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptors back."""
        with self._lock:
            self._is_over = True
            for one in self._connections:
                one.close()
            self._connections.clear()


@contextmanager
def cut_off(after_s: float) -> Iterator[None]:
    """End this thread's connections when ``after_s`` seconds are over, and let it make no more of them."""
    _install()
    call = _Call()
    timer = threading.Timer(after_s, call.end)
    timer.daemon = True
    _here.call = call
    timer.start()
    try:
        yield
    finally:
        _here.call = None
        timer.cancel()
        call.close()


@cache
def _install() -> None:
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and (call := getattr(_here, "call", None)) is not None:
        call.add(arguments[0])
