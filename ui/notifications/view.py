"""What the page *Notifications* says, in words; pure."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.channels.addresses import CHATS, Rules
from pipeline.channels.models import Kind, Medium, Outcome, Told, Waiting
from ui import words

KINDS = {
    Kind.DONE: "Done",
    Kind.FAILED: "Failed",
    Kind.GIVEN_UP: "Given up",
    Kind.CANCELLED: "Cancelled",
    Kind.BATCH: "Whole batch ended",
    Kind.ALERT: "Alerts",
}
"""What there is to be told of, in the order in which it is offered."""

MEDIA = {Medium.MAIL: "E-mail", Medium.CHAT: "Chat", Medium.WEBHOOK: "Webhook"}
ICONS = {
    Medium.MAIL: ":material/mail:",
    Medium.CHAT: ":material/chat:",
    Medium.WEBHOOK: ":material/webhook:",
}


@dataclass(frozen=True)
class Asking:
    """How an address is asked for."""

    label: str
    placeholder: str
    help: str
    secret: bool


@dataclass(frozen=True)
class Row:
    """A letter as the page shows it.

    ``letter`` is its id where it can be sent again; ``way`` is where it goes; ``problem`` is what went wrong,
    if anything did.
    """

    title: str
    badge: str
    icon: str
    colour: str
    way: str
    note: str
    problem: str
    letter: str | None


def kinds_for(*, is_operator: bool) -> dict[Kind, str]:
    """Return what somebody may be told of."""
    return {kind: label for kind, label in KINDS.items() if is_operator or kind is not Kind.ALERT}


def asking(medium: Medium, rules: Rules) -> Asking:
    """Return how an address of a medium is asked for."""
    if medium is Medium.MAIL:
        return Asking(
            "Mail address", "you@example.org", "Mail comes from this service's own address.", secret=False
        )
    if medium is Medium.WEBHOOK:
        return Asking(
            "Address that is called",
            "https://example.org/hook",
            "It gets a signed POST with JSON for each event. Only its end is shown again.",
            secret=True,
        )
    names = ", ".join(f"{CHATS[one].name} ({CHATS[one].native or f'{one}://…'})" for one in rules.services)
    return Asking(
        "Address of the chat",
        "https://hooks.slack.com/services/…",
        f"The address that the chat gives for incoming messages: {names}. Only its end is shown again.",
        secret=True,
    )


def media_for(rules: Rules) -> list[Medium]:
    """Return the media that the operator has made ready."""
    ready = {Medium.MAIL: rules.has_mail, Medium.CHAT: bool(rules.services), Medium.WEBHOOK: True}
    return [medium for medium in MEDIA if ready[medium]]


def row_of(told: Told, at: datetime) -> Row:
    """Return a letter that has come to its end."""
    badge, icon, colour = {
        Outcome.SENT: ("Sent", ":material/check:", "green"),
        Outcome.FAILED: ("Failed", ":material/error:", "red"),
        Outcome.DROPPED: ("Not sent", ":material/block:", "gray"),
    }[told.outcome]
    unclear = f"{told.unclear} of unknown outcome" if told.unclear else ""
    tries = words.count(told.tries, "try") if told.tries > 1 or unclear else ""
    parts = (words.ago(told.at, at), tries, unclear)
    return Row(
        title=told.letter.tiding.title,
        badge=badge,
        icon=icon,
        colour=colour,
        way=told.shown,
        note=" · ".join(part for part in parts if part),
        problem=told.error or "",
        letter=None if told.outcome is Outcome.DROPPED else told.letter.id,
    )


def row_waiting(waiting: Waiting, shown: str, at: datetime) -> Row:
    """Return a letter that is on its way."""
    tries = words.count(waiting.tries, "try") if waiting.tries else ""
    parts = (words.ago(waiting.letter.posted_at, at), tries)
    return Row(
        title=waiting.letter.tiding.title,
        badge="On its way",
        icon=":material/schedule_send:",
        colour="orange" if waiting.error else "blue",
        way=shown or MEDIA[waiting.letter.medium],
        note=" · ".join(part for part in parts if part),
        problem=f"{waiting.error}; it is tried again" if waiting.error else "",
        letter=None,
    )


def quoted(text: str) -> str:
    """Return text for Markdown as it is, also where it looks like an address: it must lead nowhere."""
    return f"`{text.replace('`', '')}`" if text else ""
