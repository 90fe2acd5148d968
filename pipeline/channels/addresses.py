"""What may be the address of a channel, and what is shown of it; pure.

Somebody else's text decides here where this service sends to. A mail goes through the operator's server, to
the person's own address or where the operator allows it. Of Apprise's services only those are known here
that speak HTTP; no URL may have options after a ``?``, with which Apprise reads files of this machine
(``template``), sends them (``attach``), follows redirects or leaves certificates unchecked.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pipeline.channels.models import Medium
from pipeline.channels.webhook_url import check_webhook
from pipeline.errors import ChoiceError, InvalidJobError

MOST_CHARACTERS = 2000
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_FIRST_PRINTABLE = 33
_LAST_ASCII = 126


@dataclass(frozen=True)
class Chat:
    """A service that Apprise knows: its name, and where its own addresses (``https://…``) begin."""

    name: str
    native: str = ""


CHATS = {
    "slack": Chat("Slack", "https://hooks.slack.com/services/"),
    "discord": Chat("Discord", "https://discord.com/api/webhooks/"),
    "tgram": Chat("Telegram"),
    "gchat": Chat("Google Chat"),
    "pover": Chat("Pushover"),
    "ntfys": Chat("ntfy"),
    "workflows": Chat("Microsoft Teams"),
    "mmosts": Chat("Mattermost"),
    "gotifys": Chat("Gotify"),
    "jsons": Chat("JSON"),
    "json": Chat("JSON without TLS"),
}
"""Which services there may be at all; the setting ``notify_services`` chooses among them. From ``ntfys`` on
the person names the host, so that the addresses it leads to are checked when it is called."""


@dataclass(frozen=True)
class Rules:
    """What the operator allows.

    Attributes
    ----------
    services: the schemes of :data:`CHATS` that people may use.
    has_mail: whether there is a server for mail.
    mail_to: addresses, or ``@domain``, that anybody's mail may go to; beside them everybody's own.
    anyone: whether there is one person alone, who may write to whom they like.

    """

    services: tuple[str, ...] = ()
    has_mail: bool = False
    mail_to: tuple[str, ...] = ()
    anyone: bool = True


def checked(medium: Medium, address: str, user: str, rules: Rules) -> tuple[str, str]:
    """Return an address as it is kept, and what is shown of it. Raises ChoiceError; it names no secret."""
    if not address or len(address) > MOST_CHARACTERS:
        raise ChoiceError(f"an address has 1 to {MOST_CHARACTERS} characters; got {len(address)}")
    if any(not _FIRST_PRINTABLE <= ord(letter) <= _LAST_ASCII for letter in address):
        raise ChoiceError("an address has no blanks, and letters of ASCII alone")
    if medium is Medium.MAIL:
        return _checked_mail(address, user, rules)
    if medium is Medium.WEBHOOK:
        return _checked_webhook(address)
    return _checked_chat(address, rules)


def may_mail(address: str, user: str, rules: Rules) -> bool:
    """Whether a user's mail may go to an address."""
    domain = f"@{address.rpartition('@')[2]}".lower()
    return rules.anyone or address.lower() in {user.lower(), *rules.mail_to} or domain in rules.mail_to


def _checked_mail(address: str, user: str, rules: Rules) -> tuple[str, str]:
    if not rules.has_mail:
        raise ChoiceError("this service sends no mail: an operator has yet to set smtp_host and mail_from")
    if _MAIL.fullmatch(address) is None or "=?" in address:  # RFC 2047: letters behind letters
        raise ChoiceError(f"{address!r} is no mail address such as you@example.org")
    if not may_mail(address, user, rules):
        allowed = ", ".join([user, *rules.mail_to] if "@" in user else rules.mail_to) or "nobody"
        raise ChoiceError(f"your mail may go to {allowed}, not to {address}; see the setting mail_to")
    return address, address


def _checked_webhook(address: str) -> tuple[str, str]:
    try:
        parts = check_webhook(address)
    except InvalidJobError:
        raise ChoiceError(
            "a webhook is http://host/path or https://host/path, without a user name or password"
        ) from None
    return address, f"{parts.scheme}://{parts.netloc}{masked(parts.path + parts.query)}"


def _checked_chat(address: str, rules: Rules) -> tuple[str, str]:
    scheme = scheme_of(address)
    if scheme is None or scheme not in rules.services:
        known = ", ".join(f"{CHATS[one].name} ({one}://…)" for one in rules.services) or "none"
        raise ChoiceError(f"an address of a chat begins with that of one of these services: {known}")
    if "?" in address or "\\" in address:
        raise ChoiceError("an address of a chat has no options: leave out what stands after the ?")
    if ".." in unquote(address):
        raise ChoiceError("an address of a chat has no .. in it")
    return address, f"{CHATS[scheme].name} {masked(address.partition('://')[2])}"


def scheme_of(address: str) -> str | None:
    """Return the scheme by which Apprise knows an address, None for what is not known here."""
    for scheme, chat in CHATS.items():
        if chat.native and address.lower().startswith(chat.native):
            return scheme
    try:
        scheme = urlsplit(address).scheme
    except ValueError:  # a bracket that is not closed
        return None
    return scheme if scheme in CHATS and address.startswith(f"{scheme}://") else None


def masked(secret: str) -> str:
    """Return what is shown of something secret: its last letters, where the rest is long enough."""
    return f"/…{secret[-4:]}" if len(secret) > 4 * 4 else "/…"
