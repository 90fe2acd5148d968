"""Tells a webhook what happened: one signed POST to an address that has been checked.

The standard library's HTTP client is used because the host name is resolved here, every address is
checked, and the connection is made to the checked address itself: a name that answers differently
the second time (DNS rebinding) leads nowhere. Redirects are not followed for the same reason.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.access.refusals import log_refusal
from pipeline.channels.webhook_url import check_webhook
from pipeline.errors import InvalidJobError, WebhookError
from pipeline.notify.cut_off import cut_off
from pipeline.notify.public_addresses import Address, is_public

TIMEOUT_S = 10.0
WHOLE_S = 30.0
"""How long a call may take in all: a receiver that trickles must not hold up others."""

_HTTPS_PORT = 443
_HTTP_PORT = 80
_OK = range(200, 300)
_MAY_PASS = frozenset({408, 425, 429, *range(500, 600)})


@dataclass(frozen=True)
class Delivery:
    """What is to be told to whom; ``id`` is the same however often it is tried."""

    id: str
    url: str
    body: bytes


def deliver(
    delivery: Delivery,
    secret: bytes,
    *,
    allow_private: bool = False,
    before_last: Callable[[], None] = lambda: None,
) -> int:
    """POST a delivery and return the status code, which is 2xx.

    The headers ``X-Halorow-Timestamp`` and ``X-Halorow-Signature: sha256=<hex>`` carry an
    HMAC-SHA256 of ``<timestamp>.<body>``; ``X-Halorow-Delivery`` is the same for every try. Before the
    body's last byte is sent ``before_last`` is called. Raises WebhookError, whose ``may_pass`` says whether
    another try may help.
    """
    try:
        parts = check_webhook(delivery.url)
    except InvalidJobError as error:
        raise WebhookError(str(error)) from error
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (_HTTPS_PORT if secure else _HTTP_PORT)
    address = resolve(host, port, allow_private=allow_private)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _CheckedConnection(host, port, address, secure=secure)
    at_last = False
    try:
        with cut_off(WHOLE_S):
            connection.putrequest("POST", target)
            for name, value in _headers(delivery, secret).items():
                connection.putheader(name, value)
            connection.endheaders(delivery.body[:-1])
            before_last()
            at_last = True
            connection.send(delivery.body[-1:])
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        message = f"the webhook at {host} did not answer: {error}"
        raise WebhookError(message, may_pass=True, unclear=at_last) from error
    finally:
        connection.close()
    if status not in _OK:
        raise WebhookError(f"the webhook at {host} answered {status}", may_pass=status in _MAY_PASS)
    return status


def webhook_key(link_secret: bytes, user: str) -> bytes:
    """Return the key that the bodies of a user's webhooks are signed with; another's tells nothing of it."""
    return hmac.new(link_secret, b"halorow-webhook-2:" + user.encode(), hashlib.sha256).hexdigest().encode()


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the value of the signature header; receivers compute the same and compare."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _headers(delivery: Delivery, secret: bytes) -> dict[str, str]:
    timestamp = str(int(time.time()))
    return {
        "Content-Type": "application/json",
        "Content-Length": str(len(delivery.body)),
        "User-Agent": "halorow",
        "X-Halorow-Delivery": delivery.id,
        "X-Halorow-Timestamp": timestamp,
        "X-Halorow-Signature": signature(secret, timestamp, delivery.body),
    }


def resolve(host: str, port: int, *, allow_private: bool) -> Address:
    """Return the address to connect to. Raises WebhookError if the host has none, or one not allowed.

    One forbidden address among several is enough to refuse: whoever runs the name chose them all.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookError(f"the webhook's host {host!r} is not known: {error}", may_pass=True) from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not allow_private and not is_public(address):
            refused = WebhookError(
                f"the webhook's host {host!r} leads to {address}, which is not a public address;"
                " an operator can allow it with webhook_allow_private"
            )
            log_refusal("webhook", refused, host=host)
            raise refused
    return addresses[0]


class _CheckedConnection(http.client.HTTPConnection):
    """A connection to an address, in the name of a host."""

    def __init__(self, host: str, port: int, address: Address, *, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address = str(address)
        self._secure = secure
        if secure:
            # Leaves the port out of the Host header where it is the scheme's own.
            self.default_port = _HTTPS_PORT

    def connect(self) -> None:
        """Connect to the checked address; TLS still verifies the host's name."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
            if self._secure
            else plain
        )
