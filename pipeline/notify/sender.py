"""Sends one letter by whatever its channel is."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from pipeline.channels.addresses import Rules, may_mail, scheme_of
from pipeline.channels.models import Letter, Medium
from pipeline.config import Settings
from pipeline.errors import DeliveryError
from pipeline.notify.chat import send_chat
from pipeline.notify.mail import MailServer, message_of, send_mail
from pipeline.notify.webhooks import Delivery, deliver, webhook_key


@dataclass(frozen=True)
class Sender:
    """How letters are sent; ``link_secret`` is what the keys of webhooks are made of."""

    link_secret: SecretStr
    rules: Rules = field(default_factory=Rules)
    mail: MailServer | None = None
    page_url: str = ""
    allow_private: bool = False

    def send(
        self, letter: Letter, address: str, *, again: bool = False, before_last: Callable[[], None]
    ) -> None:
        """Send a letter to an address; ``again`` if it may be there already.

        ``before_last`` is called when all but the last byte has been sent; for a chat at once, since nobody
        can say when that is. Raises DeliveryError, and what ``before_last`` raises.
        """
        if letter.medium is Medium.MAIL:
            self._by_mail(letter, address, before_last)
        elif letter.medium is Medium.WEBHOOK:
            self._by_webhook(letter, address, before_last)
        else:
            if scheme_of(address) not in self.rules.services:
                raise DeliveryError("this service is not among the operator's notify_services any more")
            before_last()
            send_chat(address, letter, footer=self.page_url, again=again, allow_private=self.allow_private)

    def _by_mail(self, letter: Letter, address: str, before_last: Callable[[], None]) -> None:
        if self.mail is None:
            raise DeliveryError(
                "this service sends no mail: an operator has yet to set smtp_host and mail_from"
            )
        if not may_mail(address, letter.tiding.user, self.rules):
            raise DeliveryError("mail to this address is not allowed any more; see the setting mail_to")
        message = message_of(letter, self.mail.sender, address, self.page_url)
        send_mail(self.mail, message, address, before_last)

    def _by_webhook(self, letter: Letter, address: str, before_last: Callable[[], None]) -> None:
        told = {**letter.tiding.payload, "title": letter.tiding.title}
        body = json.dumps(told, ensure_ascii=False).encode()
        key = webhook_key(self.link_secret.get_secret_value().encode(), letter.tiding.user)
        deliver(
            Delivery(letter.id, address, body),
            key,
            allow_private=self.allow_private,
            before_last=before_last,
        )


def mail_server_of(settings: Settings) -> MailServer | None:
    """Return the server that mail is sent through, None where there is none."""
    if not settings.smtp_host:
        return None
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.mail_from,
    )


def sender_of(settings: Settings) -> Sender:
    """Return how letters are sent as the settings say."""
    return Sender(
        link_secret=settings.link_secret,
        rules=settings.notify_rules,
        mail=mail_server_of(settings),
        page_url=settings.base_url,
        allow_private=settings.webhook_allow_private,
    )
