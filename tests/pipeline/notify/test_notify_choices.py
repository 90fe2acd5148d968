"""What people may choose, and that what is secret in it comes out nowhere."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline import layout
from pipeline.channels import keys
from pipeline.channels.addresses import CHATS, Rules, checked, masked, scheme_of
from pipeline.channels.models import Choices, Kind, Medium
from pipeline.decisions.people import Person
from pipeline.errors import ChoiceError, KeyRefusedError
from pipeline.notify.choices import MOST_CHANNELS, ChoiceBook
from pipeline.notify.desk import MOST_ASKED

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
NATIVE = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
SECRET = "TIiajkdnlazkcOXrIdevi7FQ"  # noqa: S105  (nobody's)
RULES = Rules(services=("slack", "discord"), has_mail=True, mail_to=("@example.org",), anyone=False)


@pytest.fixture
def book(store):
    return ChoiceBook(store, RULES)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "exec://rm",
        "dbus://",
        "syslog://",
        "rsyslog://10.0.0.1",
        "mailto://user:pass@10.0.0.1",
        "json://127.0.0.1/",
        "ntfys://host/topic",
        "slack:/T1JJ3T3L2/A1BRTD4JD/x",
        "SLACK://T1JJ3T3L2/A1BRTD4JD/x",
        "slack2://T1JJ3T3L2",
        "slack://[::1/T1JJ3T3L2",
        "https://[::1/",
        "https://hooks.slack.com.evil.example/services/T1/A1/x",
        f"{SLACK}?template=/etc/passwd",
        f"{SLACK}/%3Ftemplate=x/..",
        f"{NATIVE}?verify=no",
        f"{SLACK} {SLACK}",
        f"{SLACK}\r\nX: y",
        f"{SLACK}/" + "x" * 3000,
        "",
    ],
)
def test_an_address_by_which_a_chat_may_not_be_reached_is_refused(address):
    with pytest.raises(ChoiceError) as error:
        checked(Medium.CHAT, address, "ann@example.org", RULES)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("address", [SLACK, NATIVE, f"{SLACK}/#general"])
def test_an_address_of_slack_is_taken_in_both_spellings_and_shown_masked(address):
    kept, shown = checked(Medium.CHAT, address, "ann", RULES)
    assert kept == address
    assert shown.startswith("Slack /…")
    assert SECRET not in shown


def test_every_service_that_may_be_chosen_is_one_that_apprise_knows_by_http():
    from apprise.plugins import N_MGR  # noqa: PLC0415  (it takes half a second to load)

    for scheme in CHATS:
        plugin = N_MGR[scheme]
        assert plugin.__module__.rpartition(".")[2] not in {"dbus", "syslog", "rsyslog", "growl", "mqtt"}
        assert plugin.enabled
        assert scheme_of(f"{scheme}://x") == scheme


@pytest.mark.parametrize("address", ["ann@example.net", "Ann@Example.net", "team@example.org"])
def test_mail_goes_to_oneself_and_where_the_operator_allows(address):
    assert checked(Medium.MAIL, address, "ann@example.net", RULES) == (address, address)


@pytest.mark.parametrize(
    "address",
    [
        "stranger@example.com",
        "=?utf-8?q?a=0aBcc=3aeve?=@example.org",
        "x@example.org.evil.example",
        "a@b@example.org",
        "a b@example.org",
        "a@[127.0.0.1]",
    ],
)
def test_mail_to_anybody_else_is_refused(address):
    with pytest.raises(ChoiceError):
        checked(Medium.MAIL, address, "ann@example.net", RULES)


def test_without_a_mail_server_it_is_said_that_there_is_none():
    with pytest.raises(ChoiceError, match="smtp_host"):
        checked(Medium.MAIL, "ann@example.org", "ann@example.org", Rules())


def test_a_webhook_s_path_is_masked_since_it_may_be_a_secret():
    _, shown = checked(Medium.WEBHOOK, "https://example.org/hooks/abcdefghijklmnopqrstuvwxyz?k=1", "a", RULES)
    assert shown == "https://example.org/…zk=1"


def test_something_short_is_not_shown_at_all():
    assert masked("abc") == "/…"


def test_a_choice_is_written_with_its_address_and_shown_without(book, store):
    channel = book.add("ann", Medium.CHAT, SLACK, frozenset({Kind.FAILED}))
    choices = book.of("ann")
    assert choices.channels[0].address.get_secret_value() == SLACK
    assert SECRET in store.get_bytes(keys.choices_key("ann")).decode()
    for text in (repr(channel), str(choices), choices.model_dump_json(), repr(choices.model_dump())):
        assert SECRET not in text
    assert [one.id for one in choices.wanting(Kind.FAILED)] == [channel.id]
    assert choices.wanting(Kind.DONE) == ()


def test_a_change_keeps_the_address_whatever_comes_with_it(book):
    channel = book.add("ann", Medium.CHAT, SLACK)
    fake = channel.model_copy(update={"kinds": frozenset({Kind.BATCH}), "medium": Medium.MAIL, "on": False})
    book.change("ann", fake)
    (kept,) = book.of("ann").channels
    assert kept.address.get_secret_value() == SLACK
    assert (kept.medium, kept.kinds, kept.on) == (Medium.CHAT, frozenset({Kind.BATCH}), False)
    assert book.of("ann").wanting(Kind.BATCH) == ()
    book.remove("ann", channel.id)
    assert book.of("ann").channels == ()


def test_nobody_has_the_same_channel_twice_or_very_many(book):
    book.add("ann", Medium.CHAT, SLACK)
    with pytest.raises(ChoiceError, match="already"):
        book.add("ann", Medium.CHAT, SLACK)
    for number in range(MOST_CHANNELS - 1):
        book.add("ann", Medium.WEBHOOK, f"https://example.org/{number}")
    with pytest.raises(ChoiceError, match=f"{MOST_CHANNELS} ways"):
        book.add("ann", Medium.WEBHOOK, "https://example.org/more")


def test_of_several_choices_that_are_made_at_once_none_is_lost(store):
    start = threading.Barrier(MOST_CHANNELS)

    def choose(number):
        start.wait()
        ChoiceBook(store, RULES).add("ann", Medium.WEBHOOK, f"https://example.org/{number}")

    with ThreadPoolExecutor(MOST_CHANNELS) as clicks:
        for done in [clicks.submit(choose, number) for number in range(MOST_CHANNELS)]:
            done.result()

    addresses = {one.address.get_secret_value() for one in ChoiceBook(store, RULES).of("ann").channels}
    assert addresses == {f"https://example.org/{number}" for number in range(MOST_CHANNELS)}


def test_what_is_wrong_with_a_choice_in_the_store_is_said_without_what_is_in_it(book, store):
    store.put_bytes(keys.choices_key("ann"), f'{{"user": "ann", "channels": "{SECRET}"}}'.encode())
    with pytest.raises(Exception, match="remove it") as error:
        book.of("ann")
    assert SECRET not in repr(error.value)


def test_nobody_has_another_s_choices_read_by_a_job(client):
    book = ChoiceBook(client._parts.store, RULES)
    book.add("ann", Medium.CHAT, SLACK)
    assert keys.choices_key("ann").startswith(layout.NOTIFY)
    with pytest.raises(KeyRefusedError):
        client.submit(client._parts.store.uri(keys.choices_key("ann")), "invert")


def test_people_have_a_desk_of_their_own(client):
    ann, bob = (client.acting_for(Person(name)).desk() for name in ("ann", "bob"))
    channel = ann.add(Medium.WEBHOOK, "https://example.org/hook")
    assert [one.id for one in ann.choices().channels] == [channel.id]
    assert bob.choices() == Choices(user="bob")
    assert ann.webhook_key() != bob.webhook_key()
    with pytest.raises(ChoiceError, match="removed"):
        bob.test(channel.id)
    assert client.acting_for(Person("bob")).desk("ann").user == "bob"


def test_test_messages_are_limited(client):
    desk = client.desk()
    channel = desk.add(Medium.WEBHOOK, "https://example.org/hook")
    for _ in range(MOST_ASKED):
        desk.test(channel.id)
    with pytest.raises(ChoiceError, match="wait a little"):
        desk.test(channel.id)
    assert len(desk.waiting()) == MOST_ASKED


def test_a_chat_without_the_extra_that_it_needs_cannot_be_chosen(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ChoiceError, match=r"pip install 'halorow\[chat\]'"):
        client.desk().add(Medium.CHAT, SLACK)


def test_an_address_that_apprise_does_not_understand_is_refused(client):
    with pytest.raises(ChoiceError, match="Apprise does not understand"):
        client.desk().add(Medium.CHAT, "slack://nothing")
