"""Sends a letter to a chat, by way of Apprise.

Apprise says yes or no, and may put the address, which is a secret, into its logs: these are heard here for
the code of an answer, and go nowhere else.
"""

import logging
import re
from typing import TYPE_CHECKING

from pipeline.errors import DeliveryError
from pipeline.notify.addresses import CHATS, scheme_of
from pipeline.notify.guard import only_public
from pipeline.notify.mail import line
from pipeline.notify.models import Kind, Letter
from pipeline.refusals import log_refusal

if TYPE_CHECKING:
    from apprise import NotifyBase

_CODE = re.compile(r"(?:error|status|code)[=: ]+(\d{3})\b")
_NOT_THERE = re.compile(r"establish a new connection|NameResolution|ConnectTimeout|refused")
_PERMANENT = frozenset({400, 401, 403, 404, 405, 410})
_QUIET = ("apprise", "urllib3.connectionpool")
"""Loggers that name whole addresses."""

_TYPES = {Kind.DONE: "success", Kind.FAILED: "failure", Kind.GIVEN_UP: "failure", Kind.ALERT: "warning"}


class _Ear(logging.Handler):
    """Remembers the last code of an answer, and whether there was nobody to answer; nothing else."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.code: int | None = None
        self.reached = True

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line of Apprise's log."""
        said = record.getMessage()
        found = _CODE.search(said)
        if found:
            self.code = int(found[1])
        elif _NOT_THERE.search(said):
            self.reached = False


def send_chat(address: str, letter: Letter, *, footer: str, again: bool, allow_private: bool) -> None:
    """Send a letter to where an Apprise URL leads; ``again`` if it may be there already.

    Raises DeliveryError, which names no address.
    """
    service = CHATS[scheme_of(address) or "json"].name
    plugin = plugin_of(address)
    if plugin is None:
        raise DeliveryError(f"{service} does not know this address; remove it and add it anew")
    note = "(Sent once more, since nobody knows whether it arrived.)" if again else ""
    said = [part for part in (letter.tiding.text, note, footer) if part]
    ear, kept_from = _Ear(), list[str]()
    logger = logging.getLogger("apprise")
    logger.addHandler(ear)
    logger.setLevel(logging.DEBUG)
    try:
        if allow_private:
            sent = _notify(plugin, letter, said)
        else:
            with only_public() as kept_from:
                sent = _notify(plugin, letter, said)
    finally:
        logger.removeHandler(ear)
    if not sent:
        raise _failure(service, ear, kept_from)


def _notify(plugin: "NotifyBase", letter: Letter, said: list[str]) -> bool:
    return bool(
        plugin.notify(
            title=line(letter.tiding.title),
            body="\n".join(said),
            notify_type=_TYPES.get(letter.tiding.kind, "info"),
            body_format="text",
        )
    )


def _failure(service: str, ear: _Ear, kept_from: list[str]) -> DeliveryError:
    if kept_from:
        refused = DeliveryError(
            f"{service} at this address is not on the public Internet; an operator can allow it with"
            " webhook_allow_private"
        )
        log_refusal("chat", refused, address=kept_from[0])
        return refused
    if ear.code is None:
        return DeliveryError(f"{service} did not answer", may_pass=True, unclear=ear.reached)
    return DeliveryError(f"{service} refused it with {ear.code}", may_pass=ear.code not in _PERMANENT)


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


def _quieten() -> None:
    """Have no logger of Apprise, or of what it uses, name an address."""
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
