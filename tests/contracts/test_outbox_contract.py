"""What the outbox promises, whatever store it lies in: each letter once, each try by one alone."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import psutil
import pytest
from fakes.gcs.fixture import BUCKET
from store_harness import BASE_URL, SECRET

from pipeline.channels import keys
from pipeline.channels.models import Kind, Medium, Outcome, Tiding, Told
from pipeline.models import now
from pipeline.notify.fanout import letter_of
from pipeline.notify.holder import HELD_S, Holder
from pipeline.notify.outbox import KEPT, KEPT_DAYS, Failed, Outbox
from pipeline.stores.local import LocalStore
from pipeline.stores.memory import MemoryStore

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture(params=["local", "memory", "gcs"])
def store(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "local":
        return LocalStore(tmp_path / "store", SECRET, BASE_URL, durable=False)
    if request.param == "memory":
        return MemoryStore(SECRET, "outbox")
    from pipeline.stores.gcs import GcsStore  # noqa: PLC0415 as the registry does

    fake = request.getfixturevalue("fake_gcs")
    client = request.getfixturevalue("gcs_client")
    return GcsStore(BUCKET, "some/prefix", client=client, endpoint=fake.address)


@pytest.fixture
def outbox(store):
    return Outbox(store)


def letter(name="a", user="ann@example.org", channel="c1", at=AT):
    tiding = Tiding(id=name, kind=Kind.DONE, user=user, at=at, title=f"{name} is done")
    return letter_of(tiding, channel, Medium.WEBHOOK)


def told(one, **changed):
    values = {"outcome": Outcome.SENT, "shown": "x", "tries": 1, **changed}
    return Told(letter=one, **values)


def test_a_letter_is_posted_once_however_often_somebody_tries(outbox):
    assert outbox.post(letter())
    assert not outbox.post(letter())
    assert [due.id for due in outbox.due()] == [letter().id]
    assert outbox.letter(letter().id).tiding.title == "a is done"


def test_letters_of_one_tiding_differ_by_channel_and_user_and_come_in_order_of_time(outbox):
    later = letter(at=AT + timedelta(seconds=1))
    found = [later, letter(), letter(channel="c2"), letter(user="bob")]
    for one in found:
        outbox.post(one)
    ids = [due.id for due in outbox.due()]
    assert len(ids) == 4
    assert ids[-1] == later.id
    assert keys.way_of(letter().id) == keys.way_of(later.id) != keys.way_of(letter(channel="c2").id)


def test_a_letter_that_was_told_is_neither_due_nor_posted_again(outbox):
    outbox.post(letter())
    assert outbox.claim(letter().id, 1)
    outbox.mark_last(letter().id, 1)
    outbox.finish(told(letter()))
    assert outbox.due() == []
    assert not outbox.post(letter())
    assert outbox.told("ann@example.org", letter().id).outcome is Outcome.SENT


def test_the_first_word_on_what_became_of_a_letter_stays(outbox):
    outbox.post(letter())
    outbox.finish(told(letter()))
    outbox.finish(told(letter(), outcome=Outcome.FAILED))
    assert [one.outcome for one in outbox.latest("ann@example.org", 5)] == [Outcome.SENT]


def test_one_of_many_who_claim_a_try_gets_it(store):
    boxes = [Outbox(store) for _ in range(8)]
    boxes[0].post(letter())
    start = Barrier(len(boxes))

    def claim(box):
        start.wait()
        return box.claim(letter().id, 1)

    with ThreadPoolExecutor(len(boxes)) as pool:
        assert list(pool.map(claim, boxes)).count(True) == 1


def test_a_try_is_held_while_its_holder_lives_and_nobody_s_when_it_is_gone(store):
    gone = Holder(name="g", host=socket.gethostname(), pid=os.getpid(), born=psutil.boot_time() - 1)
    far = Holder(name="f", host="elsewhere", pid=1, born=0.0)
    for number, holder, held in ((1, gone, False), (2, far, True), (3, Holder.here(), True)):
        box, one = Outbox(store, holder), letter(str(number))
        box.post(one)
        box.claim(one.id, 1)
        due = Outbox(store).look_up(one.id)
        assert Outbox(store).is_held(due, now()) is held, number
        assert not Outbox(store).is_held(due, now() + timedelta(seconds=HELD_S + 60))
        assert not box.is_held(due, now())


def test_a_listing_tells_how_far_each_try_came(outbox):
    outbox.post(letter())
    outbox.claim(letter().id, 1)
    outbox.fail(letter().id, 1, Failed(error="503"))
    outbox.claim(letter().id, 2)
    outbox.mark_last(letter().id, 2)
    (due,) = outbox.due()
    assert {number: sorted(parts) for number, parts in due.tries.items()} == {
        1: ["failed", "try"],
        2: ["last", "try"],
    }
    assert (due.number, due.failed_at) == (2, None)
    (waiting,) = outbox.waiting("ann@example.org")
    assert (waiting.tries, waiting.error) == (2, None)
    assert outbox.failure(due, 1).error == "503"


def test_nobody_sees_another_s_letters(outbox):
    outbox.post(letter())
    outbox.post(letter("b"))
    outbox.finish(told(letter()))
    assert outbox.latest("bob", 5) == []
    assert outbox.waiting("bob") == []
    assert outbox.told("bob", letter().id) is None
    assert outbox.told("bob", "../../jobs/x") is None


def test_only_old_letters_beyond_many_are_forgotten(store, outbox):
    for number in range(KEPT + 3):
        one = letter(at=AT + timedelta(seconds=number))
        store.put_bytes(keys.told_key(one.id), told(one).model_dump_json().encode(), durable=False)
    assert outbox.forget(now() + timedelta(days=KEPT_DAYS - 1)) == 0
    assert outbox.forget(now() + timedelta(days=KEPT_DAYS + 1)) == 3
    assert len(outbox.latest("ann@example.org", 2 * KEPT)) == KEPT
