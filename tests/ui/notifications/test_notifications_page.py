"""The page Notifications and the bell, without a browser."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from pipeline.channels import keys
from pipeline.channels.addresses import Rules
from pipeline.channels.models import Kind, Medium, Outcome, Told, Waiting
from pipeline.errors import QueueUnavailableError
from pipeline.models import Notice, now
from pipeline.notify.fanout import letter_of
from pipeline.notify.tidings import of_test
from ui.bell import notices
from ui.notifications import view

SECRET = "sesame-open-7f3a-kljhasdlkj"  # noqa: S105  (a test's)
HOOK = f"https://example.org/hooks/{SECRET}"


def notice(number, kind=Kind.DONE, at=None):
    values = {"id": str(number), "user": "local", "job_id": "j", "text": f"{number}.tif"}
    return Notice(**values, kind=kind.value, at=at or now())


def draw():
    from ui.notifications.page import notifications_page  # noqa: PLC0415  (run by Streamlit as a script)

    notifications_page()


@pytest.fixture
def told_page(client):
    """Give the page Notifications, drawn once."""
    assert client.desk().choices().channels == ()
    return AppTest.from_function(draw, default_timeout=30).run()


def said(page):
    kinds = (page.markdown, page.caption, page.error, page.warning, page.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def add(page, address):
    page.segmented_control(key="medium").set_value(Medium.WEBHOOK).run()
    page.text_input[0].input(address)
    page.button[[button.label for button in page.button].index("Add")].click().run()


def test_a_channel_is_added_changed_and_removed_and_its_address_is_not_shown_again(told_page, client):
    add(told_page, HOOK)
    (channel,) = client.desk().choices().channels
    assert channel.address.get_secret_value() == HOOK
    assert SECRET not in said(told_page)
    assert SECRET not in str([field.value for field in told_page.text_input])
    told_page.pills(key=f"kinds_{channel.id}").set_value([Kind.BATCH]).run()
    told_page.toggle(key=f"on_{channel.id}").set_value(False).run()
    (changed,) = client.desk().choices().channels
    assert (changed.kinds, changed.on) == (frozenset({Kind.BATCH}), False)
    assert changed.address.get_secret_value() == HOOK
    told_page.button(key=f"discard_{channel.id}").click().run()
    assert client.desk().choices().channels == ()
    assert not told_page.exception


def test_an_address_that_is_none_is_explained(told_page, client):
    add(told_page, "gopher://x")
    assert "without a user name" in said(told_page)
    assert client.desk().choices().channels == ()
    assert not told_page.exception


def test_a_test_message_is_posted_by_its_button_and_shown_on_its_way(told_page, client):
    add(told_page, HOOK)
    (channel,) = client.desk().choices().channels
    told_page.button(key=f"test_{channel.id}").click().run()
    assert [one.letter.tiding.kind for one in client.desk().waiting()] == [Kind.TEST]
    assert "A test message of halorow" in said(told_page)


def test_what_the_page_shows_in_passing_is_kept_when_it_is_picked(told_page, client):
    told_page.pills(key="kinds_page").set_value([Kind.FAILED]).run()
    assert client.desk().choices().page == {Kind.FAILED, Kind.TEST}
    told_page.pills(key="kinds_browser").set_value([Kind.DONE]).run()
    assert client.desk().choices().browser == {Kind.DONE}


def test_whoever_has_looked_at_the_notices_has_read_them(client, parts, told_page):
    parts.notices.post(notice(1))
    assert notices.unread(client.desk().notices(), client.desk().seen()) == 1
    told_page.run()
    assert notices.unread(client.desk().notices(), client.desk().seen()) == 0
    assert parts.store.stat(keys.seen_key("local")) is not None


def test_a_service_that_is_away_is_said_without_a_trace(told_page, client, monkeypatch):
    def away(*_):
        raise QueueUnavailableError("Redis does not answer")

    monkeypatch.setattr(type(client.desk()), "notices", away)
    monkeypatch.setattr(type(client.desk()), "waiting", away)
    told_page.run()
    assert said(told_page).count("cannot be shown just now") == 2
    assert not told_page.exception


def test_only_kinds_that_were_chosen_are_shown_in_passing(page, client, parts):
    client.desk().keep(page=frozenset({Kind.FAILED}), browser=frozenset())
    page.session_state["notices_of_store"] = None
    page.run()
    parts.notices.post(notice("fine"))
    parts.notices.post(notice("broken", Kind.FAILED))
    page.run()
    assert [toast.value for toast in page.toast] == ["broken\\.tif"]


def test_notices_that_come_again_after_redis_was_emptied_are_no_news(page, parts):
    page.run()
    old = notice("old")
    parts.notices.post(old)
    page.run()
    assert page.toast
    parts.notices._notices.clear()
    parts.notices.post(old)
    page.run()
    assert not page.toast


def test_the_bell_says_how_many_are_unread(page, parts):
    parts.notices.post(notice(1))
    parts.notices.post(notice(2))
    page.run()
    assert [link.proto.label for link in page.get("page_link")] == ["2 new"]
    assert notices.badge(0) == "Nothing new"


def test_nothing_is_fresh_at_first_and_each_notice_once():
    one, two = notice(1), notice(2)
    assert notices.fresh([one], None) == []
    assert notices.fresh([one, two], {"1"}) == [two]
    assert notices.fresh([one, two], {"1", "2"}) == []


def test_of_a_burst_the_newest_few_are_shown():
    many = [notice(number) for number in range(20)]
    assert notices.chosen(many, {Kind.DONE}) == many[-notices.MOST_AT_ONCE :]
    assert notices.chosen(many, {Kind.FAILED}) == []


def test_users_are_not_offered_what_operators_are_told():
    assert Kind.ALERT in view.kinds_for(is_operator=True)
    assert Kind.ALERT not in view.kinds_for(is_operator=False)


def test_only_media_that_the_operator_has_made_ready_are_offered():
    assert view.media_for(Rules()) == [Medium.WEBHOOK]
    assert view.media_for(Rules(services=("slack",), has_mail=True)) == list(Medium)
    assert "https://hooks.slack.com/services/" in view.asking(Medium.CHAT, Rules(services=("slack",))).help


def test_deliveries_are_told_in_words():
    letter = letter_of(of_test("ann", "n"), "c", Medium.MAIL)
    at = letter.posted_at + timedelta(minutes=2)
    sent = Told(letter=letter, outcome=Outcome.SENT, shown="a@b.org", tries=2, unclear=1, at=letter.posted_at)
    row = view.row_of(sent, at)
    assert row.note == "2 min 0 s ago · 2 tries · 1 of unknown outcome"
    assert (row.badge, row.way, row.letter) == ("Sent", "a@b.org", letter.id)
    failed = sent.model_copy(update={"outcome": Outcome.FAILED, "error": "refused", "unclear": 0, "tries": 1})
    assert (view.row_of(failed, at).problem, view.row_of(failed, at).badge) == ("refused", "Failed")
    waiting = view.row_waiting(Waiting(letter=letter, tries=1, error="503"), "a@b.org", at)
    assert (waiting.badge, waiting.problem, waiting.letter) == ("On its way", "503; it is tried again", None)
