"""Compute Engine over real HTTP, in this process: the requests for machines that a node provider makes.

Machines come up when their operation is looked at; they vanish, run out and exceed quotas on demand.
"""

import gc
import json
import re
import secrets
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import RLock, Thread
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from fakes.discovery import instance_faults
from fakes.gcs.account import ServiceAccount

_POLL_S = 0.01
_PATH = re.compile(
    r"/compute/v1/projects/(?P<project>[^/]+)/zones/(?P<zone>[^/]+)/"
    r"(?P<kind>instances|operations)(?:/(?P<name>[^/]+))?(?:/(?P<verb>\w+))?"
)
_CONDITION = re.compile(
    r"(?P<not>NOT )?(?P<field>labels\.[\w-]+|status)(?: = (?P<value>[\w.-]+)|(?P<any>:\*))"
)
_METHODS = {
    ("POST", "instances", False): "insert",
    ("GET", "instances", False): "list",
    ("GET", "instances", True): "get",
    ("DELETE", "instances", True): "delete",
    ("POST", "instances", True): "setLabels",
    ("GET", "operations", True): "operation",
}

Machine = dict[str, Any]


@cache
def _key() -> dict[str, str]:
    """Return a key of a service account; making one takes a while."""
    return {name: value for name, value in ServiceAccount().info().items() if name != "universe_domain"}


class RefusalError(Exception):
    """Becomes an error response."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        """Refuse with an HTTP status and Google's name for the reason."""
        super().__init__(message)
        self.status = status
        self.reason = reason


class FakeGce:
    """A running server; use it as a context manager.

    Attributes
    ----------
    machines: all that exist, by name, as Compute Engine would describe them.
    exhausted: the provisioning models (``SPOT``, ``STANDARD``) of which the zone has no machine left.
    quota: how many machines the project may have.
    forbidden: whether whoever asks may not create machines.
    calls: the method of every request so far, such as ``insert``, in order.
    began: called with each machine's name when it is up.
    ended: called with each machine's name when it has been deleted.

    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Take a port of this machine's address ``host``."""
        self.began = self.ended = str
        self.machines: dict[str, Machine] = {}
        self.exhausted: set[str] = set()
        self.quota = 1000
        self.forbidden = False
        self.calls: list[str] = []
        self.lock = RLock()
        self._operations: dict[str, Machine] = {}
        self._token = secrets.token_urlsafe(16)
        self._numbers = iter(range(1, 1 << 16))
        handler = type("BoundHandler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer((host, 0), handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)

    @property
    def address(self) -> str:
        """Where the server listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def endpoint(self) -> str:
        """The address as a client of Compute Engine takes it."""
        return f"{self.address}/compute/v1/"

    def write_key(self, path: Path) -> Path:
        """Write the key file of a service account to which this server gives tokens."""
        info = _key() | {"token_uri": f"{self.address}/token"}
        path.write_text(json.dumps(info))
        return path

    def vanish(self, name: str) -> None:
        """Take a machine away, as Compute Engine does with spot machines that are set to be deleted."""
        with self.lock:
            del self.machines[name]

    def of_type(self, node_type: str) -> list[str]:
        """Return the names of the machines that Ray has made as one of its node types."""
        with self.lock:
            return [n for n, one in self.machines.items() if one["labels"]["ray-user-node-type"] == node_type]

    def answer(self, method: str, target: str, body: bytes, token: str | None) -> Machine:
        """Answer a request. Raises RefusalError."""
        parts = urlsplit(target)
        if (method, parts.path) == ("POST", "/token"):
            return {"access_token": self._token, "token_type": "Bearer", "expires_in": 3600}
        found = _PATH.fullmatch(parts.path)
        if token != f"Bearer {self._token}":
            raise RefusalError(401, "authError", "the request has no token of this server")
        if found is None:
            raise RefusalError(404, "notFound", f"there is nothing at {parts.path}")
        call = _METHODS[method, found["kind"], bool(found["name"])]
        given = json.loads(body or b"{}")
        query = dict(parse_qsl(parts.query))
        with self.lock:
            self.calls.append(call)
            if call in {"insert", "list"}:
                return self._insert(found["zone"], given) if given else self._list(query.get("filter", ""))
            return self._one(call, found["name"], given)

    def _one(self, call: str, name: str, given: Machine) -> Machine:
        """Answer a request about one machine or operation."""
        if call == "operation":
            return self._operation(name)
        machine = self._known(name)
        if call == "delete":
            del self.machines[name]
            self.ended(name)
            return self._begin({})
        return machine if call == "get" else self._set_labels(machine, given)

    def _known(self, name: str) -> Machine:
        if name not in self.machines:
            raise RefusalError(404, "notFound", f"The resource 'instances/{name}' was not found")
        return self.machines[name]

    def _insert(self, zone: str, wanted: Machine) -> Machine:
        wrong = instance_faults(wanted)
        if wrong:
            raise RefusalError(400, "invalid", "; ".join(wrong))
        if self.forbidden:
            raise RefusalError(403, "forbidden", "Required 'compute.instances.create' permission")
        if not wanted["machineType"].startswith(f"zones/{zone}/machineTypes/"):
            raise RefusalError(400, "invalid", f"{wanted['machineType']} is no machine type of {zone}")
        if wanted["name"] in self.machines:
            raise RefusalError(409, "alreadyExists", wanted["name"])
        if len(self.machines) >= self.quota:
            raise RefusalError(403, "quotaExceeded", f"Quota 'INSTANCES' exceeded. Limit: {self.quota}")
        number = next(self._numbers)
        interfaces = [
            {"networkIP": f"10.20.{number >> 8}.{number & 255}", **one} for one in wanted["networkInterfaces"]
        ]
        state = {"status": "PROVISIONING", "labelFingerprint": f"f{number}", "networkInterfaces": interfaces}
        self.machines[wanted["name"]] = wanted | state
        return self._begin(self.machines[wanted["name"]])

    def _begin(self, machine: Machine) -> Machine:
        name = f"operation-{next(self._numbers)}"
        self._operations[name] = machine
        return {"name": name, "status": "RUNNING"}

    def _operation(self, name: str) -> Machine:
        """End an operation that has been begun: the machine is up, or the zone has no more of them."""
        done = {"name": name, "status": "DONE"}
        machine = self._operations[name]
        model = machine.get("scheduling", {}).get("provisioningModel", "STANDARD")
        if machine.get("status") == "PROVISIONING" and model in self.exhausted:
            del self.machines[machine["name"]]
            code = "ZONE_RESOURCE_POOL_EXHAUSTED"
            message = f"The zone does not have enough resources for a {model} {machine['machineType']}"
            return done | {"error": {"errors": [{"code": code, "message": message}]}}
        if machine.get("status") == "PROVISIONING":
            machine["status"] = "RUNNING"
            self.began(machine["name"])
        return done

    def _set_labels(self, machine: Machine, given: Machine) -> Machine:
        if given["labelFingerprint"] != machine["labelFingerprint"]:
            raise RefusalError(412, "conditionNotMet", "Labels fingerprint either invalid or out of date")
        machine["labels"] = given["labels"]
        machine["labelFingerprint"] = f"f{next(self._numbers)}"
        return self._begin({})

    def _list(self, condition: str) -> Machine:
        found = [one for one in self.machines.values() if _fits(one, condition)]
        return {"items": found} if found else {}

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, and have what is left of clients end here and not in some later test."""
        self._server.shutdown()
        self._server.server_close()
        gc.collect()


def _fits(machine: Machine, condition: str) -> bool:
    """Whether a machine fits a filter: conditions joined by AND; those on the status by OR."""
    wanted = [match.groupdict() for match in _CONDITION.finditer(condition)]
    statuses = {one["value"] for one in wanted if one["field"] == "status"}
    labels = [one for one in wanted if one["field"] != "status"]
    held = machine["labels"]
    fits = (
        (held.get(one["field"].removeprefix("labels.")) == one["value"])
        if one["value"]
        else (one["field"].removeprefix("labels.") in held) is not bool(one["not"])
        for one in labels
    )
    return machine["status"] in statuses and all(fits)


class _Handler(BaseHTTPRequestHandler):
    fake: ClassVar[FakeGce]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Serve any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = 200
        try:
            answer = self.fake.answer(self.command, self.path, body, self.headers.get("Authorization"))
        except RefusalError as error:
            status = error.status
            detail = {"message": str(error), "domain": "global", "reason": error.reason}
            answer = {"error": {"code": status, "message": str(error), "errors": [detail]}}
        sent = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_DELETE = do_GET  # noqa: N815  (http.server looks for these names)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
