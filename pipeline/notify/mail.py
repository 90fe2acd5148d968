"""Sends a letter by mail, through the operator's server.

Apprise is not used for mail: it makes up another ``Message-ID`` each time, says yes or no and not why, and
cannot be held before the last byte. Here the ``Message-ID`` is the letter's, so that a mail that comes
twice is known for one by programs that look at it (RFC 5322, 3.6.4).
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from pydantic import SecretStr

from pipeline.channels.models import Letter
from pipeline.errors import DeliveryError

TIMEOUT_S = 20.0
_GO_ON = 354
_PERMANENT = range(500, 600)
_END = b".\r\n"
_POLICY = SMTP.clone(max_line_length=500)
"""Ids are not folded: not every receiver takes the blank away again."""


@dataclass(frozen=True)
class MailServer:
    """Where mail is sent through; ``security`` is ``starttls``, ``tls`` or ``none``."""

    host: str
    port: int
    security: str
    user: str
    password: SecretStr
    sender: str


def message_of(letter: Letter, sender: str, to: str, footer: str) -> EmailMessage:
    """Return a letter as a mail."""
    mail = EmailMessage(_POLICY)
    mail["From"] = f"halorow <{sender}>"
    mail["To"] = to
    mail["Subject"] = line(letter.tiding.title)
    mail["Date"] = format_datetime(letter.tiding.at)
    mail["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Halorow-Delivery"] = letter.id
    body = "\n\n".join(part for part in (letter.tiding.title, letter.tiding.text, footer) if part)
    mail.set_content(body, cte="quoted-printable")
    return mail


def line(text: str, most: int = 200) -> str:
    """Return text as one line, without control characters: file names and errors may hold anything."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:most]


def send_mail(server: MailServer, mail: EmailMessage, to: str, before_last: Callable[[], None]) -> None:
    """Send a mail; ``before_last`` is called when all but the end is sent. Raises DeliveryError."""
    at_last = False

    def last() -> None:
        nonlocal at_last
        before_last()
        at_last = True

    try:
        # Closed, not left with a QUIT, which would be a line of the mail where that is not whole.
        with closing(_connected(server)) as smtp:
            _transact(smtp, mail, (server.sender, to), last)
    except smtplib.SMTPResponseException as error:
        said = (
            bytes(error.smtp_error) if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        )
        words = line(said.decode(errors="replace"))
        raise DeliveryError(
            f"the mail server {server.host} refused it: {error.smtp_code} {words}",
            may_pass=error.smtp_code not in _PERMANENT,
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(
            f"the mail server {server.host}:{server.port} did not answer: {line(str(error))}",
            may_pass=True,
            unclear=at_last,
        ) from None


def try_server(server: MailServer) -> None:
    """Connect to a server, log in, and leave again. Raises OSError, of which SMTPException is one."""
    with _connected(server) as smtp:
        smtp.noop()


def _connected(server: MailServer) -> smtplib.SMTP:
    """Return a connection, secured and logged in as the settings say."""
    context = ssl.create_default_context()
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password.get_secret_value())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _transact(
    smtp: smtplib.SMTP, mail: EmailMessage, route: tuple[str, str], before_last: Callable[[], None]
) -> None:
    """Do one transaction (RFC 5321, 3.3): the server has the mail when it has answered the last dot."""
    smtp.ehlo_or_helo_if_needed()
    sender, to = route
    for code, answer in (smtp.mail(sender), smtp.rcpt(to)):
        _expect(code, answer, range(200, 300))
    _expect(*smtp.docmd("DATA"), range(_GO_ON, _GO_ON + 1))
    body = re.sub(rb"(?m)^\.", b"..", mail.as_bytes())
    smtp.send(body if body.endswith(b"\r\n") else body + b"\r\n")
    before_last()
    smtp.send(_END)
    _expect(*smtp.getreply(), range(200, 300))
    with suppress(OSError, smtplib.SMTPException):
        smtp.quit()


def _expect(code: int, answer: bytes, wanted: range) -> None:
    if code not in wanted:
        raise smtplib.SMTPResponseException(code, answer)
