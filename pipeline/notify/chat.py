"""Sends a letter to a chat, by way of Apprise.

Apprise says yes or no, and may put the address, which is a secret, into its logs: these are heard here for
the code of an answer, and go nowhere else.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pipeline.access.refusals import log_refusal
from pipeline.channels.addresses import CHATS, scheme_of
from pipeline.channels.models import Kind, Letter
from pipeline.errors import DeliveryError
from pipeline.extras import lack_of
from pipeline.notify.cut_off import cut_off
from pipeline.notify.guard import only_public
from pipeline.notify.mail import line

if TYPE_CHECKING:
    from apprise import NotifyBase

WHOLE_S = 30.0
"""How long telling a chat may take in all, as with webhooks."""

_CODE = re.compile(r"(?:error|status|code)[=: ]+(\d{3})\b")
_NOT_THERE = re.compile(r"establish a new connection|NameResolution|ConnectTimeout|refused")
_PERMANENT = frozenset({400, 401, 403, 404, 405, 410})
_APPRISE = "apprise"
"""Its logger, which names whole addresses."""

_TYPES = {Kind.DONE: "success", Kind.FAILED: "failure", Kind.GIVEN_UP: "failure", Kind.ALERT: "warning"}


@dataclass
class _Heard:
    """What Apprise has said of one message: the last code of an answer, and whether anybody was reached."""

    code: int | None = None
    reached: bool = True

    def hear(self, level: int, said: str) -> None:
        """Look at a line of the log; in those on what is sent anybody may have written anything."""
        if level >= logging.WARNING and (found := _CODE.search(said)):
            self.code = int(found[1])
        elif said.startswith("Socket Exception") and _NOT_THERE.search(said):
            self.reached = False


class _Ear(logging.Filter):
    """Hears what is logged while this thread tells a chat, and lets none of it reach a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop all of Apprise's lines, and what others say meanwhile in this thread."""
        heard: _Heard | None = getattr(_here, "heard", None)
        if heard is not None:
            heard.hear(record.levelno, record.getMessage())
        return heard is None and record.name != _APPRISE


_here = threading.local()


@contextmanager
def _listening() -> Iterator[_Heard]:
    """Hear what is logged in this thread."""
    _here.heard = _Heard()
    try:
        yield _here.heard
    finally:
        _here.heard = None


def send_chat(address: str, letter: Letter, *, footer: str, again: bool, allow_private: bool) -> None:
    """Send a letter to where an Apprise URL leads; ``again`` if it may be there already.

    Raises DeliveryError, which names no address.
    """
    lack = lack_of("apprise", "telling a chat")
    if lack is not None:
        raise DeliveryError(lack, may_pass=True)  # an operator may have installed it by the next try
    service = CHATS[scheme_of(address) or "json"].name
    plugin = plugin_of(address)
    if plugin is None:
        raise DeliveryError(f"{service} does not know this address; remove it and add it anew")
    note = "(Sent once more, since nobody knows whether it arrived.)" if again else ""
    said = [part for part in (letter.tiding.text, note, footer) if part]
    kept_from = list[str]()
    with _listening() as heard, cut_off(WHOLE_S):
        if allow_private:
            sent = _notify(plugin, letter, said)
        else:
            with only_public() as kept_from:
                sent = _notify(plugin, letter, said)
    if not sent:
        raise _failure(service, heard, kept_from)


def _notify(plugin: "NotifyBase", letter: Letter, said: list[str]) -> bool:
    return bool(
        plugin.notify(
            title=line(letter.tiding.title),
            body="\n".join(said),
            notify_type=_TYPES.get(letter.tiding.kind, "info"),
            body_format="text",
        )
    )


def _failure(service: str, heard: _Heard, kept_from: list[str]) -> DeliveryError:
    if kept_from:
        refused = DeliveryError(
            f"{service} at this address is not on the public Internet; an operator can allow it with"
            " webhook_allow_private"
        )
        log_refusal("chat", refused, address=kept_from[0])
        return refused
    if heard.code is None:
        return DeliveryError(f"{service} did not answer", may_pass=True, unclear=heard.reached)
    return DeliveryError(f"{service} refused it with {heard.code}", may_pass=heard.code not in _PERMANENT)


def plugin_of(address: str) -> "NotifyBase | None":
    """Return Apprise's service for an address, None where there is none, or it is not the one expected."""
    _quieten()
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415  (it takes half a second to load)

    asset = AppriseAsset(
        app_id="halorow",
        app_desc="halorow",
        app_url="",
        image_path_mask=False,
        storage_mode="memory",
        http_redirects=False,
        allow_templates=False,
        async_mode=False,
        default_service_retry=0,
    )
    made = Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    return made if made is not None and scheme_of(address) in _schemes(made) else None


def _schemes(plugin: "NotifyBase") -> set[str]:
    """Return the schemes that a service of Apprise goes by: each is a text or several."""
    found: set[str] = set()
    for known in (plugin.protocol, plugin.secure_protocol):
        found.update([known] if isinstance(known, str) else known or ())
    return found


@cache
def _quieten() -> None:
    """Have no logger of Apprise, or of what it uses, name an address, whoever listens to it."""
    for name in (_APPRISE, "urllib3.connectionpool"):
        logging.getLogger(name).addFilter(_Ear())
    logging.getLogger(_APPRISE).setLevel(logging.DEBUG)
