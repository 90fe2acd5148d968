"""Ends of jobs passed on to the page and to a real HTTP server."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog
from pydantic import SecretStr

from pipeline import layout
from pipeline.channels.addresses import Rules
from pipeline.channels.keys import BATCHES, NEWS, batch_key
from pipeline.channels.models import Channel, Kind, Medium, Outcome
from pipeline.errors import DeliveryError, QueueUnavailableError, StoreUnavailableError
from pipeline.models import Alert, AlertState, JobState, now
from pipeline.notify import chat, fanout, notifier, pace
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.fanout import letter_of
from pipeline.notify.mail import MailServer, message_of, send_mail
from pipeline.notify.news import announce
from pipeline.notify.notifier import Notifier
from pipeline.notify.outbox import Outbox
from pipeline.notify.postman import Postman
from pipeline.notify.sender import Sender
from pipeline.notify.tidings import of_test
from pipeline.notify.webhooks import signature, webhook_key
from tests.receivers import receiving

SECRET = b"webhook secret"
WAIT_S = 20


class Receiver(ThreadingHTTPServer):
    """Takes webhooks, and answers with the status codes it is told to, then with 204."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = []
        self.got = []
        self.came = threading.Semaphore(0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()
        self.server.came.release()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def notifying(service, monkeypatch):
    """Give a function that runs a notifier in the background; all end with the test."""
    monkeypatch.setattr(pace, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(notifier, "LISTEN_S", 0.02)
    running = []

    def start(*, operators=("local",), per_minute=0, **how):
        sender = Sender(SecretStr(SECRET.decode()), **how)
        one = Notifier(service.parts, sender, operators=operators, per_minute=per_minute)
        thread = threading.Thread(target=one.run)
        thread.start()
        running.append((one, thread))
        return one

    def stop():
        for one, thread in running:
            one.stop()
            thread.join()
        running.clear()

    start.stop = stop
    yield start
    stop()


def notices_of(service):
    """Return the user's notices as soon as there are any."""
    pause = threading.Event()
    for _ in range(WAIT_S * 100):
        found = service.client.notices("local")
        if found:
            return found
        pause.wait(0.01)
    return []


def test_a_webhook_is_told_once_with_a_signature(service, notifying, receiver):
    notifying(allow_private=True)
    job = service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()

    assert receiver.came.acquire(timeout=WAIT_S)
    notifying.stop()
    path, headers, body = receiver.got[0]
    told = json.loads(body)
    assert path == "/hook?x=1"
    assert (told["job"], told["state"]) == (job, "succeeded")
    assert told["pixels_sha256"] == service.client.result(job).pixels_sha256
    assert headers["X-Halorow-Signature"] == signature(
        webhook_key(SECRET, "local"), headers["X-Halorow-Timestamp"], body
    )
    assert service.parts.store.stat(layout.outbox_key(job)) is None

    notifying(allow_private=True)
    notices_of(service)
    notifying.stop()
    assert len(receiver.got) == 1


def test_a_webhook_that_answers_503_is_told_again(service, notifying, receiver):
    receiver.answers = [503, 503]
    notifying(allow_private=True)
    service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()

    for _ in range(3):
        assert receiver.came.acquire(timeout=WAIT_S)
    assert len({headers["X-Halorow-Delivery"] for _, headers, _ in receiver.got}) == 1


def test_what_ended_while_the_notifier_was_away_is_told_at_its_start(service, notifying, receiver):
    job = service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()

    notifying(allow_private=True)

    assert receiver.came.acquire(timeout=WAIT_S)
    assert [notice.job_id for notice in notices_of(service)] == [job]


def test_a_private_address_is_not_called_and_not_tried_again(service, notifying, receiver):
    job = service.submit(webhook=receiver.url)
    service.runner(service.stage).work_once()
    notifying()
    assert notices_of(service)
    notifying.stop()

    assert receiver.got == []
    assert service.parts.store.stat(layout.outbox_key(job)) is None


def test_a_retry_is_told_as_an_end_of_its_own(service, notifying, receiver):
    notifying(allow_private=True)
    job = service.submit(webhook=receiver.url)
    service.client.cancel(job)
    assert receiver.came.acquire(timeout=WAIT_S)
    service.client.retry(job)
    service.runner(service.stage).work_once()
    service.runner(service.stage).work_once()

    assert receiver.came.acquire(timeout=WAIT_S)
    assert [json.loads(body)["state"] for _, _, body in receiver.got] == ["cancelled", "succeeded"]
    assert service.client.status(job).state is JobState.SUCCEEDED


def chosen(service, kinds, *, medium=Medium.WEBHOOK, address):
    """Give the user a channel for some kinds of events."""
    desk = service.client.desk()
    channel = desk.add(medium, address)
    desk.change(channel.model_copy(update={"kinds": frozenset(kinds)}))
    return desk, channel.id


def told(desk, number=1):
    """Return what became of letters as soon as there are so many."""
    pause = threading.Event()
    for _ in range(WAIT_S * 100):
        found = desk.latest()
        if len(found) >= number:
            break
        pause.wait(0.01)
    return found


def test_a_choice_made_while_the_job_waits_counts_and_another_s_is_not_asked(service, notifying, receiver):
    notifying(allow_private=True)
    service.submit()
    service.submit(user="somebody else")
    desk, _ = chosen(service, {Kind.DONE}, address=receiver.url)
    for _ in range(2):
        service.runner(service.stage).work_once()

    (one,) = told(desk)
    assert (one.outcome, one.tries, one.unclear) == (Outcome.SENT, 1, 0)
    assert one.shown.endswith("/…ok1") or one.shown.startswith("http://127.0.0.1")
    notifying.stop()
    assert len(receiver.got) == 1


def test_what_is_not_chosen_is_not_told(service, notifying, receiver):
    desk, channel = chosen(service, {Kind.FAILED}, address=receiver.url)
    notifying(allow_private=True)
    service.client.cancel(service.submit())
    desk.test(channel)

    (one,) = told(desk)
    assert one.letter.tiding.kind is Kind.TEST
    notifying.stop()
    assert [json.loads(body)["event"] for _, _, body in receiver.got] == ["test"]


def test_a_letter_is_sent_again_under_an_id_of_its_own_when_somebody_asks(service, notifying, receiver):
    desk, _ = chosen(service, {Kind.CANCELLED}, address=receiver.url)
    notifying(allow_private=True)
    service.client.cancel(service.submit())
    (first,) = told(desk)
    desk.send_again(first.letter.id)

    told(desk, 2)
    assert len({headers["X-Halorow-Delivery"] for _, headers, _ in receiver.got}) == 2
    assert len({json.loads(body)["job"] for _, _, body in receiver.got}) == 1


def test_a_channel_that_was_removed_is_not_used_for_what_waits(service, notifying, receiver):
    desk, channel = chosen(service, {Kind.CANCELLED}, address=receiver.url)
    desk.test(channel)
    desk.remove(channel)
    notifying(allow_private=True)

    (one,) = told(desk)
    assert (one.outcome, receiver.got) == (Outcome.DROPPED, [])


def test_a_receiver_that_refuses_for_good_is_not_asked_again_and_the_reason_is_kept(
    service, notifying, receiver
):
    receiver.answers = [503, 410]
    desk, channel = chosen(service, set(), address=receiver.url)
    desk.test(channel)
    notifying(allow_private=True)

    (one,) = told(desk)
    assert (one.outcome, one.tries) == (Outcome.FAILED, 2)
    assert "answered 410" in one.error


def test_operators_are_told_of_an_alert_once_when_it_is_raised_and_once_when_it_is_cleared(
    service, notifying, receiver
):
    desk, _ = chosen(service, {Kind.ALERT}, address=receiver.url)
    raised = Alert(id="disk", state=AlertState.RAISED, since=now(), text="the disk is nearly full")
    cleared = raised.model_copy(update={"state": AlertState.CLEARED, "at": now()})
    for one in (raised, raised, cleared):
        announce(service.parts.store, one)
    notifying(allow_private=True)

    told(desk, 2)
    notifying.stop()
    assert [json.loads(body)["state"] for _, _, body in receiver.got] == ["raised", "cleared"]
    assert [notice.text for notice in service.client.notices("local")] == [
        "Alert: the disk is nearly full",
        "No longer: the disk is nearly full",
    ]


def test_letters_go_out_though_redis_is_away_and_a_mark_that_cannot_be_read_keeps_none(
    service, notifying, receiver, monkeypatch
):
    def away(*_):
        raise QueueUnavailableError("Redis does not answer")

    for part, method in (("notices", "post"), ("notices", "post_all"), ("bus", "subscribe_endings")):
        monkeypatch.setattr(getattr(service.parts, part), method, away)
    monkeypatch.setattr(notifier, "AWAY_S", 0.02)
    desk, _ = chosen(service, {Kind.ALERT}, address=receiver.url)
    service.parts.store.put_bytes(f"{NEWS}0.json", b"{}")
    alert = Alert(id="redis", state=AlertState.RAISED, since=now(), text="Redis does not answer")
    announce(service.parts.store, alert)
    notifying(allow_private=True)

    (one,) = told(desk)
    assert one.outcome is Outcome.SENT


def test_marks_that_cannot_be_read_are_warned_of_once_and_kept_until_they_can(service, monkeypatch):
    monkeypatch.setattr(pace, "FIRST_PAUSE_S", 0.0)
    store, news, batch = service.parts.store, f"{NEWS}0.json", f"{BATCHES}0.json"
    for mark in (news, batch):
        store.put_bytes(mark, b'{"version": 99}')
    monkeypatch.setattr(notifier, "BATCH_S", 0.0)
    one = Notifier(service.parts, Sender(SecretStr("secret")), operators=("local",))

    with structlog.testing.capture_logs() as lines, ThreadPoolExecutor(1) as senders:
        for _ in range(3):
            one._look(senders)
        assert sorted(line["mark"] for line in lines) == [batch, news]
        assert {info.key for info in store.list(layout.OUTBOX)} == {batch, news}

        alert = Alert(id="disk", state=AlertState.RAISED, since=now(), text="the disk is nearly full")
        store.put_bytes(news, alert.model_dump_json().encode())
        one._look(senders)
    assert [notice.text for notice in service.client.notices("local")] == ["Alert: the disk is nearly full"]


def test_every_operator_is_told_of_an_alert_though_redis_is_away(service, receiver, monkeypatch):
    def away(*_):
        raise QueueUnavailableError("Redis does not answer")

    monkeypatch.setattr(service.parts.notices, "post", away)
    operators = ("ada", "bob")
    rules = Rules()
    for name in operators:
        service.client.desk(name).add(Medium.WEBHOOK, receiver.url)
    alert = Alert(id="redis", state=AlertState.RAISED, since=now(), text="Redis does not answer")
    announce(service.parts.store, alert)
    outbox = Outbox(service.parts.store)
    (news,) = (info.key for info in service.parts.store.list(NEWS))
    with pytest.raises(QueueUnavailableError):
        fanout.Fanout(service.parts, outbox, ChoiceBook(service.parts.store, rules), operators).alert(news)

    posted = [outbox.letter(due.id).tiding.user for due in outbox.due()]
    assert sorted(posted) == ["ada", "bob"]


def test_every_operator_has_the_notice_of_an_alert_once(service):
    operators = ("ada", "bob")
    alert = Alert(id="disk", state=AlertState.RAISED, since=now(), text="the disk is nearly full")
    book = ChoiceBook(service.parts.store, Rules())
    for _ in range(2):
        announce(service.parts.store, alert)
        (news,) = (info.key for info in service.parts.store.list(NEWS))
        fanout.Fanout(service.parts, Outbox(service.parts.store), book, operators).alert(news)

    for name in operators:
        assert [one.text for one in service.client.notices(name)] == ["Alert: the disk is nearly full"]


def test_the_mark_of_a_job_that_is_no_more_goes_and_what_is_no_mark_of_a_job_stays(service):
    store, gone = service.parts.store, layout.new_job_id(now())
    for name in (gone, "of-another-version"):
        store.put_bytes(f"{layout.OUTBOX}{name}", b"")
        fanout.Fanout(service.parts, Outbox(store), ChoiceBook(store, Rules())).job(name)
    assert [info.key for info in store.list(layout.OUTBOX)] == [f"{layout.OUTBOX}of-another-version"]


def test_nothing_waits_for_a_batch_whose_jobs_were_all_removed(service):
    service.parts.board.mark_whole()
    mark = fanout.BatchMark(user="local", batch="gone")
    key = batch_key(mark.user, mark.batch)
    service.parts.store.put_bytes(key, mark.model_dump_json().encode())
    book = ChoiceBook(service.parts.store, Rules())
    assert fanout.Fanout(service.parts, Outbox(service.parts.store), book).batch(key)
    assert service.parts.store.stat(key) is None


def test_a_letter_that_another_notifier_sends_between_look_and_claim_is_not_sent_twice(service, receiver):
    desk = service.client.desk()
    desk.test(desk.add(Medium.WEBHOOK, receiver.url).id)
    store = service.parts.store
    sender = Sender(SecretStr(SECRET.decode()), allow_private=True)
    book = ChoiceBook(store, sender.rules)

    def deliver_all(outbox):
        with ThreadPoolExecutor(1) as pool:
            Postman(outbox, book, service.parts.records, sender).look(outbox.due(), pool, lambda: None)

    class Overtaken(Outbox):
        """Another notifier does all its work just before the claim."""

        def claim(self, letter_id, number):
            deliver_all(Outbox(store))
            return super().claim(letter_id, number)

    deliver_all(Overtaken(store))

    assert len(receiver.got) == 1
    assert list(store.list(layout.OUTBOX)) == []


def test_the_end_of_a_batch_is_told_when_its_last_job_has_ended(service, notifying, receiver, monkeypatch):
    monkeypatch.setattr(notifier, "BATCH_S", 0.02)
    monkeypatch.setattr(fanout, "QUIET", timedelta(0))
    service.parts.board.mark_whole()
    desk, _ = chosen(service, {Kind.BATCH}, address=receiver.url)
    jobs = [service.submit(batch="holiday") for _ in range(3)]
    notifying(allow_private=True)
    service.client.cancel(jobs[0])
    notices_of(service)
    assert desk.latest() == []
    for job in jobs[1:]:
        service.client.cancel(job)

    (one,) = told(desk)
    assert one.letter.tiding.title == "A batch of 3 images has ended: 3 cancelled"


def test_mail_goes_through_the_operator_s_server_under_the_letter_s_own_message_id(service, notifying):
    with receiving() as receivers:
        rules = Rules(has_mail=True)
        desk = replace(service.client.desk(), book=ChoiceBook(service.parts.store, rules))
        desk.test(desk.add(Medium.MAIL, "ann@example.org").id)
        server = MailServer(
            "127.0.0.1", receivers.smtp_port, "none", "", SecretStr(""), "halorow@example.org"
        )
        notifying(rules=rules, mail=server)
        (one,) = told(desk)
        (mail,) = receivers.inbox.of("e-mail")
    assert mail["id"] == f"<{one.letter.id}@example.org>"
    assert (mail["to"], mail["subject"]) == (["ann@example.org"], "A test message of halorow")


def test_a_letter_of_which_no_mail_can_be_made_is_given_up_after_so_many_tries(
    service, notifying, monkeypatch
):
    monkeypatch.setattr(pace, "MAX_TRIES", 2)
    desk = service.client.desk()
    # As it may have been written down before such an address was refused.
    channel = Channel(
        id="old", medium=Medium.MAIL, address=SecretStr("=?utf-8?q?a=0aX=3ay?=@example.org"), shown="old"
    )
    desk.book.keep(desk.choices().model_copy(update={"channels": (channel,)}))
    desk.test(channel.id)
    server = MailServer("127.0.0.1", 1, "none", "", SecretStr(""), "halorow@example.org")
    notifying(rules=Rules(has_mail=True), mail=server)

    (one,) = told(desk)
    notifying.stop()  # what became of a letter is written down before the letter goes
    assert (one.outcome, one.tries, "ValueError" in one.error) == (Outcome.FAILED, 2, True)
    assert desk.waiting() == []


def test_a_mail_whose_last_byte_cannot_be_noted_is_not_sent():
    def fail():
        raise StoreUnavailableError("the store is away")

    with receiving() as receivers:
        server = MailServer(
            "127.0.0.1", receivers.smtp_port, "none", "", SecretStr(""), "halorow@example.org"
        )
        letter = fanout.letter_of(of_test("ann", "1"), "c", Medium.MAIL)
        mail = message_of(letter, server.sender, "ann@example.org", "")
        with pytest.raises(StoreUnavailableError):
            send_mail(server, mail, "ann@example.org", fail)
        send_mail(server, mail, "ann@example.org", lambda: None)
        receivers.inbox.wait(lambda inbox: inbox.arrived)
        assert len(receivers.inbox.arrived) == 1


def test_a_chat_is_told_by_way_of_apprise_and_its_address_stands_in_no_log(
    service, notifying, caplog, capsys
):
    secret = "sesame7f3ab"  # noqa: S105  (a test's)
    caplog.set_level("DEBUG")
    with receiving() as receivers:
        rules = Rules(services=("json",))
        desk = replace(service.client.desk(), book=ChoiceBook(service.parts.store, rules))
        desk.test(desk.add(Medium.CHAT, f"{receivers.chat}/{secret}").id)
        receivers.inbox.answers += [503]
        notifying(rules=rules, allow_private=True)
        (one,) = told(desk)
        first, second = receivers.inbox.of("chat")
    assert (one.outcome, one.tries) == (Outcome.SENT, 2)
    assert first["title"] == second["title"] == "A test message of halorow"
    said = "".join(capsys.readouterr()) + caplog.text + one.model_dump_json() + repr(one)
    assert "told" in said
    assert secret not in said


def test_a_chat_that_answers_a_byte_at_a_time_is_cut_off(monkeypatch):
    monkeypatch.setattr(chat, "WHOLE_S", 0.5)
    is_cut = threading.Event()

    class Trickling(Handler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(WAIT_S * 20))
            self.end_headers()
            pause = threading.Event()
            try:
                for _ in range(WAIT_S * 20):  # as a whole it would be a good answer
                    self.wfile.write(b"x")
                    pause.wait(0.05)
            except OSError:
                is_cut.set()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Trickling)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        letter = letter_of(of_test("ann", "n"), "channel", Medium.CHAT)
        with pytest.raises(DeliveryError) as caught:
            chat.send_chat(
                f"json://127.0.0.1:{server.server_port}/x", letter, footer="", again=False, allow_private=True
            )
        assert (caught.value.may_pass, caught.value.unclear) == (True, True)
        assert is_cut.wait(WAIT_S)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_chat_at_a_private_address_is_not_called(service, notifying):
    with receiving() as receivers:
        rules = Rules(services=("json",))
        desk = replace(service.client.desk(), book=ChoiceBook(service.parts.store, rules))
        desk.test(desk.add(Medium.CHAT, receivers.chat.replace("127.0.0.1", "localhost")).id)
        notifying(rules=rules)
        (one,) = told(desk)
        assert receivers.inbox.arrived == []
    assert one.outcome is Outcome.FAILED
    assert "not on the public Internet" in one.error


def test_letters_of_one_channel_are_no_more_in_a_minute_than_the_operator_says(service, notifying):
    with receiving() as receivers:
        rules = Rules(services=("json",))
        desk = replace(service.client.desk(), book=ChoiceBook(service.parts.store, rules))
        channel = desk.add(Medium.CHAT, receivers.chat).id
        for _ in range(3):
            desk.test(channel)
        notifying(rules=rules, allow_private=True, per_minute=2)
        assert len(told(desk, 2)) == 2
        notifying.stop()
        assert len(desk.waiting()) == 1


def test_a_choice_survives_the_loss_of_redis_and_so_does_what_waits(service, notifying, receiver):
    desk, _ = chosen(service, {Kind.CANCELLED}, address=receiver.url)
    service.client.cancel(service.submit())
    service.parts.board.delete(service.client.jobs()[0].id)
    notifying(allow_private=True)

    (one,) = told(desk)
    assert one.outcome is Outcome.SENT
