"""What strangers try, by kind; each trick is refused by an error, or an answer, and logged."""

import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from pipeline.channels.keys import choices_key
from pipeline.channels.models import Medium, Outcome, Told
from pipeline.errors import (
    ChoiceError,
    HalorowError,
    InvalidJobError,
    JobNotFoundError,
    KeyRefusedError,
    QuotaError,
    WebhookError,
)
from pipeline.notify import tidings
from pipeline.notify.fanout import letter_of
from pipeline.notify.outbox import Outbox
from pipeline.notify.webhooks import resolve
from tests.strangers.rig import PHOTO, PIXELS, Rig

OK = 200


class LetInError(AssertionError):
    """Raised where a trick has worked."""


@dataclass(frozen=True)
class Trick:
    """One way in that must not be one.

    Attributes
    ----------
    kind, name: what it is.
    attempt: tries it; raises one of ``refused`` where it is refused, LetInError where it works.
    refused: the errors that are a refusal; any other is a fault.

    """

    kind: str
    name: str
    attempt: Callable[[Rig], object]
    refused: tuple[type[Exception], ...]


class RefusedError(Exception):
    """Raised where the page's routes have refused a request."""


def turned_away(answer: httpx.Response) -> None:
    """Raise RefusedError for an answer without what was asked for, else LetInError."""
    if answer.status_code == OK or PIXELS in answer.content:
        raise LetInError(f"{answer.status_code}: {answer.content[:100]!r}")
    raise RefusedError(answer.text)


def _links() -> list[Trick]:
    def changed(rig: Rig, old: str, new: str) -> None:
        link = rig.link()
        assert old in link
        turned_away(rig.ask(link.replace(old, new)))

    tries: dict[str, Callable[[Rig], object]] = {
        "no signature": lambda rig: turned_away(rig.ask(rig.link().split("?")[0])),
        "an empty signature": lambda rig: turned_away(
            rig.ask(rig.link().split("signature=")[0] + "signature=")
        ),
        "an altered signature": lambda rig: changed(rig, "signature=", "signature=0"),
        "an expired link": lambda rig: turned_away(rig.ask(rig.link(life_s=-1))),
        "a prolonged link": lambda rig: changed(rig, "expires=1", "expires=9"),
        "another method's link": lambda rig: turned_away(rig.ask(rig.link(method="PUT"))),
        "a link turned to writing": lambda rig: changed(rig, "method=GET", "method=PUT"),
        "a link to another key": lambda rig: changed(rig, rig.job, rig.waiting.id),
        "another file name": lambda rig: turned_away(rig.ask(rig.link() + "&filename=run.html")),
        "the expiry twice": lambda rig: turned_away(rig.ask(rig.link() + "&expires=9999999999")),
        "an expiry that is no number": lambda rig: changed(rig, "expires=1", "expires=-1"),
        "a key spelt otherwise": lambda rig: changed(rig, "files/jobs/", "files/x/..%2fjobs/"),
        "a signed way out of the store": lambda rig: turned_away(
            rig.ask(rig.link(key="../../outside.txt").replace("../", "..%2f"))
        ),
        "a signed absolute path": lambda rig: turned_away(
            rig.ask(rig.link(key=str(rig.outside)).replace("files//", "files/%2f"))
        ),
    }
    return [Trick("links", name, attempt, (RefusedError,)) for name, attempt in tries.items()]


def _others_jobs() -> list[Trick]:
    tries: dict[str, Callable[[Rig], object]] = {
        "status": lambda rig: rig.bob.status(rig.job),
        "manifest": lambda rig: rig.bob.manifest(rig.job),
        "result": lambda rig: rig.bob.result(rig.job),
        "link": lambda rig: rig.bob.link(rig.job),
        "link to the input": lambda rig: rig.bob.input_link(rig.job),
        "download": lambda rig: rig.bob.download(rig.job, rig.outside.with_name("taken.png")),
        "failure": lambda rig: rig.bob.failure(rig.job),
        "watch": lambda rig: next(rig.bob.watch(rig.job, 0)),
        "wait": lambda rig: rig.bob.wait(rig.job, 0),
        "cancel": lambda rig: rig.bob.cancel(rig.waiting.id),
        "retry": lambda rig: rig.bob.retry(rig.job),
        "open the output": lambda rig: rig.bob.open_object(rig.output),
        "open the input": lambda rig: rig.bob.open_object(rig.ada.manifest(rig.job).input.key),
        "list the records": lambda rig: rig.bob.objects(rig.uri("jobs/")),
        "list the uploads": lambda rig: rig.bob.objects(rig.uri("uploads/")),
        "list a user's folder": lambda rig: rig.bob.objects(rig.uri("users/ada@example.com/")),
        "list everything": lambda rig: rig.bob.objects(rig.uri("")),
        "submit in another's name": lambda rig: rig.bob.submit(PHOTO, "invert", user="ada@example.com"),
    }
    refused = (JobNotFoundError, KeyRefusedError, InvalidJobError)
    return [Trick("another user's job", name, attempt, refused) for name, attempt in tries.items()]


def _paths() -> list[Trick]:
    def reads(uri: Callable[[Rig], str]) -> Callable[[Rig], object]:
        return lambda rig: rig.bob.submit(uri(rig), "invert")

    def writes(uri: Callable[[Rig], str]) -> Callable[[Rig], object]:
        return lambda rig: rig.bob.submit(PHOTO, "invert", output=uri(rig))

    def linked(rig: Rig, what: str, name: str) -> str:
        folder = rig.store.local_path(rig.output)
        assert folder is not None
        place = folder.parents[2] / "users" / "bob@example.com"
        place.mkdir(parents=True, exist_ok=True)
        link = place / name
        if not link.is_symlink():
            link.symlink_to(what)
        return name

    def behind(rig: Rig) -> str:
        name = linked(rig, str(rig.outside.parent), "folder")
        return rig.uri(f"users/bob%40example.com/{name}/outside.txt")

    def as_link(rig: Rig) -> str:
        name = linked(rig, str(rig.outside), "link.png")
        return rig.uri(f"users/bob%40example.com/{name}")

    sources: dict[str, Callable[[Rig], str]] = {
        "a way up": lambda rig: rig.uri("shared/../../outside.txt"),
        "a way up in other letters": lambda rig: rig.uri("shared/%2e%2e/%2e%2e/outside.txt"),
        "a file beside the store": lambda rig: rig.outside.as_uri(),
        "a system file": lambda _: "file:///etc/passwd",
        "a file of the server": lambda rig: str(rig.outside),
        "a folder twice": lambda rig: rig.uri("shared//x"),
        "a zero byte": lambda rig: rig.uri("shared/a%00.png"),
        "a backslash": lambda rig: rig.uri("shared/..%5c..%5coutside.txt"),
        "a link to a file": as_link,
        "a folder that is a link": behind,
        "another's folder": lambda rig: rig.uri("users/ada%40example.com/x.png"),
        "a folder that begins alike": lambda rig: rig.uri("users/bob%40example.com.evil/x.png"),
        "another's result": lambda rig: rig.uri(rig.output),
        "another's upload": lambda rig: rig.uri(quote(rig.ada.manifest(rig.job).input.key)),
        "a manifest": lambda rig: rig.uri(f"jobs/{rig.job}/job.json"),
        "an idempotency key": lambda rig: rig.uri("keys/x"),
        "another scheme": lambda _: "http://127.0.0.1:6379/x",
        "another store": lambda _: "memory:///shared/x.png",
        "another bucket": lambda _: "gs://private-scans/x.tif",
        "no object": lambda _: "gs://open-scans",
    }
    sinks: dict[str, Callable[[Rig], str]] = {
        "output: a way up": lambda rig: rig.uri("users/bob%40example.com/../../../outside.txt"),
        "output: beside the store": lambda rig: rig.outside.as_uri(),
        "output: another's folder": lambda rig: rig.uri("users/ada%40example.com/x.png"),
        "output: what all read": lambda rig: rig.uri("shared/x.png"),
        "output: another's job": lambda rig: rig.uri(f"jobs/{rig.job}/result.json"),
        "output: the marks of open jobs": lambda rig: rig.uri(f"open/{rig.job}"),
        "output: a file of this machine": lambda _: "/etc/cron.d/x.png",
        "output: another scheme": lambda _: "https://example.com/x.png",
        "output: another bucket": lambda _: "gs://open-scans/x.png",
    }
    refused = (KeyRefusedError, InvalidJobError)
    return [Trick("paths", name, reads(uri), refused) for name, uri in sources.items()] + [
        Trick("paths", name, writes(uri), refused) for name, uri in sinks.items()
    ]


HOSTS = (
    "localhost",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "::1",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a01:203",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
)


def _addresses() -> list[Trick]:
    def call(host: str) -> Callable[[Rig], object]:
        return lambda _: resolve(host, 80, allow_private=False)

    def submit(url: str) -> Callable[[Rig], object]:
        return lambda rig: rig.bob.submit(PHOTO, "invert", webhook=url)

    urls = {
        "a webhook of another scheme": "file:///etc/passwd",
        "a webhook with a password": "http://user:word@example.com/",
        "a webhook with a second line": "http://example.com/\r\nX-Evil: 1",
    }
    return [Trick("addresses", host, call(host), (WebhookError,)) for host in HOSTS] + [
        Trick("addresses", name, submit(url), (InvalidJobError,)) for name, url in urls.items()
    ]


def _being_told() -> list[Trick]:
    def chat(address: str) -> Callable[[Rig], object]:
        return lambda rig: rig.bob.desk().add(Medium.CHAT, address)

    slack = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    addresses = {
        "a file as a chat": "file:///etc/passwd",
        "a program as a chat": "exec://sh",
        "the desktop's bus": "dbus://",
        "the system's log": "syslog://",
        "a mail server of one's own": "mailto://u:p@10.0.0.1?to=x@example.com",
        "JSON to this machine": "json://127.0.0.1:6379/",
        "a template that is a file": f"{slack}?template=/etc/passwd",
        "a file to attach": f"{slack}?attach=file:///etc/passwd",
        "a host that begins like Slack's": "https://hooks.slack.com.evil.example/services/T1/A1/x",
    }

    def another_s_channel(rig: Rig) -> None:
        rig.bob.desk().test(rig.ada.desk().add(Medium.WEBHOOK, f"https://example.com/{uuid.uuid4()}").id)

    def another_s_letter(rig: Rig) -> None:
        tiding = tidings.of_test("ada@example.com", "n")
        letter = letter_of(tiding, "c", Medium.WEBHOOK)
        Outbox(rig.store).finish(Told(letter=letter, outcome=Outcome.SENT, shown="x", tries=1))
        rig.bob.desk("ada@example.com").send_again(letter.id)

    others: dict[str, Callable[[Rig], object]] = {
        "mail to a stranger": lambda rig: rig.bob.desk().add(Medium.MAIL, "eve@example.net"),
        "mail with a second line": lambda rig: rig.bob.desk().add(
            Medium.MAIL, "bob@example.com\r\nBcc: e@x.y"
        ),
        "another's channel": another_s_channel,
        "another's letter": another_s_letter,
        "another's choices as an image": lambda rig: rig.bob.submit(
            rig.uri(choices_key("ada@example.com")), "invert"
        ),
    }
    tries = {name: chat(address) for name, address in addresses.items()} | others
    return [
        Trick("being told", name, attempt, (ChoiceError, KeyRefusedError)) for name, attempt in tries.items()
    ]


def _greed() -> list[Trick]:
    def flood(rig: Rig) -> None:
        for _ in range(60):
            rig.bob.submit_bytes(b"x", "x.png", "invert")

    def hoard(rig: Rig) -> None:
        large = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 3000, 3000) + bytes(20)
        for _ in range(2):
            rig.bob.submit_bytes(large, "large.png", "invert")

    def giant(rig: Rig) -> None:
        header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 60_000, 60_000) + bytes(20)
        rig.bob.submit_bytes(header, "giant.png", "invert")

    return [
        Trick("greed", "too many pixels at once", giant, (InvalidJobError,)),
        Trick("greed", "too many pixels", hoard, (QuotaError,)),
        Trick("greed", "too many submissions", flood, (QuotaError,)),
    ]


TRICKS = [*_links(), *_others_jobs(), *_paths(), *_addresses(), *_being_told(), *_greed()]
"""All of them. Those that use a quota up come last."""

REFUSALS = (HalorowError, RefusedError)
