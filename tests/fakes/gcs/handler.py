"""HTTP/1.1 on a socket: reads requests, writes responses, and carries the faults out."""

import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar

from fakes.gcs.answers import Request, Response
from fakes.gcs.faults import Fault, FaultKind, flip

if TYPE_CHECKING:
    from fakes.gcs.server import FakeGcs

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Handler(BaseHTTPRequestHandler):
    """Serves one connection; ``fake`` is bound by the server."""

    fake: ClassVar["FakeGcs"]
    protocol_version = "HTTP/1.1"
    # Without it the small last piece of an answer waits for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        """Serve any method; the routes tell them apart."""
        self.fake.requests.append((self.command, self.path))
        body = self._read_body()
        fault = self.fake.faults.take(self.command, self.path, body)
        if fault and fault.kind is FaultKind.RESET:
            self._reset()
            return
        if fault and fault.kind is FaultKind.CORRUPTED_UPLOAD:
            body = flip(body, len(body) * 7 // 8)
        response = self._respond(Request.parse(self.command, self.path, self.headers, body), fault)
        if fault and fault.kind is FaultKind.LOST_ANSWER:
            self._reset()
            return
        if fault and fault.kind is FaultKind.STALL:
            self.fake.faults.wait_for_release()
            self._reset()
            return
        self._write(response, fault)

    do_HEAD = do_GET  # noqa: N815 the base class looks for these names
    do_POST = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815
    do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 named by the base class
        """Keep quiet."""

    def _respond(self, request: Request, fault: Fault | None) -> Response:
        if fault and fault.kind is FaultKind.STATUS:
            return Response(fault.status, b'{"error": {"message": "A fault on demand."}}')
        return self.fake.handle(request)

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _write(self, response: Response, fault: Fault | None) -> None:
        body = response.body
        if fault and fault.kind is FaultKind.CORRUPTED:
            body = flip(body, len(body) // 2)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault and fault.kind is FaultKind.TRUNCATED:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self._end()
        elif self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        """End the connection so that the other side sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close_connection = True

    def _end(self) -> None:
        self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True
