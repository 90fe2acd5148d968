"""A rank's end of the control connection: requests in, events out, and death when it ends."""

import json
import os
import queue
import socket
import threading
from typing import Any

from mpi_stage.contract import encode

EXIT_SUPERVISOR_GONE = 75
MAX_LINE_BYTES = 16 << 20


class ControlConnection:
    """The Unix socket that joins a rank to its supervisor.

    A thread waits for requests, so that the end of the connection ends the process at once, in the
    middle of a request too; an idle rank uses no processor time.
    """

    def __init__(self, path: str) -> None:
        """Connect to the supervisor that listens at ``path``."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._sending = threading.Lock()
        self.token: str | None = None
        """The token that the supervisor has sent after the request, where the work takes that long."""

    def start(self, rank: int, ranks: int) -> None:
        """Say hello and begin to listen."""
        self.send({"event": "hello", "rank": rank, "ranks": ranks, "pid": os.getpid()})
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def next_request(self) -> dict[str, Any]:
        """Wait for the next request."""
        request = self._requests.get()
        self.token = None
        return request

    def send(self, event: dict[str, Any]) -> None:
        """Send an event. The process ends if nobody listens any more."""
        try:
            with self._sending:
                self._socket.sendall(encode(event))
        except OSError:
            os._exit(EXIT_SUPERVISOR_GONE)

    def _listen(self) -> None:
        with self._socket.makefile("rb") as lines:
            while True:
                try:
                    line = lines.readline(MAX_LINE_BYTES)
                except OSError:
                    line = b""
                if not line:
                    os._exit(EXIT_SUPERVISOR_GONE)
                message = json.loads(line)
                if message.get("request") == "token":
                    self.token = message["token"]
                else:
                    self._requests.put(message)
