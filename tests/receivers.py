"""Real receivers of what people are told: an SMTP server and an HTTP server, which remember what came."""

import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

PATIENCE_S = 60.0
_JOB = re.compile(r"Job: (\S+)")

Moment = Callable[[str, str], None]
"""Is told of each moment of a delivery: the medium, and ``begun``, ``arrived`` or ``answered``."""


def nothing(_medium: str, _moment: str) -> None:
    """Do nothing."""


@dataclass
class Inbox:
    """What has come, whole: by medium the ids and what was in it.

    ``answers`` are the HTTP codes to answer with next; then it is 204.
    """

    moment: Moment = nothing
    arrived: list[tuple[str, str, dict]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, medium, name, content):
        """Remember one that has come."""
        with self._changed:
            self.arrived.append((medium, name, content))
            self._changed.notify_all()

    def wait(self, condition: Callable[["Inbox"], bool]) -> None:
        """Wait until a condition holds of what has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), PATIENCE_S), self.counts()

    def counts(self):
        """Return how often each has come."""
        return Counter((medium, name) for medium, name, _ in self.arrived)

    def of(self, medium):
        """Return what came by a medium."""
        return [content for kind, _, content in self.arrived if kind == medium]


class _Mail:
    """The handler of the SMTP server."""

    def __init__(self, inbox):
        self._inbox = inbox

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  (aiosmtpd's)
        envelope.rcpt_tos.append(address)
        self._inbox.moment("e-mail", "begun")
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        content = {
            "to": list(envelope.rcpt_tos),
            "subject": mail["Subject"],
            "id": mail["Message-ID"],
            "text": mail.get_content(),
        }
        self._inbox.add("e-mail", mail["X-Halorow-Delivery"], content)
        self._inbox.moment("e-mail", "arrived")
        return "250 OK"


class _Http(BaseHTTPRequestHandler):
    def do_POST(self):
        inbox = self.server.inbox
        medium = "chat" if self.path.startswith("/chat") else "webhook"
        inbox.moment(medium, "begun")
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return
        told = json.loads(body)
        found = _JOB.search(told.get("message", ""))
        name = self.headers.get("X-Halorow-Delivery") or (found[1] if found else told["title"])
        inbox.add(medium, name, {"headers": dict(self.headers), "body": body, **told})
        inbox.moment(medium, "arrived")
        try:
            self.send_response(inbox.answers.pop(0) if inbox.answers else 204)
            self.end_headers()
        except OSError:
            return
        inbox.moment(medium, "answered")

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, _request, _client):
        """Say nothing of connections that those who were killed have left."""


@dataclass(frozen=True)
class Receivers:
    """Where the receivers listen, and what has come to them."""

    inbox: Inbox
    smtp_port: int
    http_port: int

    @property
    def webhook(self):
        return f"http://127.0.0.1:{self.http_port}/hook"

    @property
    def chat(self):
        """The address of a chat, as Apprise has it: Slack's own always lead to Slack."""
        return f"json://127.0.0.1:{self.http_port}/chat"

    @property
    def environment(self):
        """The settings of a service that is to reach them."""
        return {
            "HALOROW_SMTP_HOST": "127.0.0.1",
            "HALOROW_SMTP_PORT": str(self.smtp_port),
            "HALOROW_SMTP_SECURITY": "none",
            "HALOROW_MAIL_FROM": "halorow@example.org",
            "HALOROW_NOTIFY_SERVICES": "slack,json",
            "HALOROW_NOTIFY_PER_MINUTE": "0",
            "HALOROW_WEBHOOK_ALLOW_PRIVATE": "1",
        }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def receiving(moment: Moment = nothing):
    """Run the receivers, and yield them."""
    inbox = Inbox(moment)
    smtp = Controller(_Mail(inbox), hostname="127.0.0.1", port=free_port())
    smtp.start()
    http = _Server(("127.0.0.1", 0), _Http)
    http.inbox = inbox
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield Receivers(inbox, smtp.port, http.server_port)
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        smtp.stop()
