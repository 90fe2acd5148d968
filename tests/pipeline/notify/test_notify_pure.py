"""When letters are tried again, what tidings say, and what a mail looks like."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.channels.models import Kind, Medium
from pipeline.models import Alert, AlertState, JobState, JobStatus, Lane
from pipeline.notify import pace, tidings
from pipeline.notify.fanout import QUIET, has_ended, letter_of
from pipeline.notify.mail import line, message_of

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def status(number=1, state=JobState.SUCCEEDED, **values):
    return JobStatus(
        id=f"20260504-030200-{'a' * 9}{number}",
        state=state,
        attempt=1,
        lane=Lane.SINGLE,
        input_name=values.pop("input_name", f"{number}.tif"),
        pipeline="invert",
        batch="b",
        created_at=AT,
        finished_at=AT if state.is_final else None,
        **values,
    )


def test_pauses_double_up_to_an_hour_and_tries_end_after_some_hours():
    pauses = [pace.pause_s(tries) for tries in range(pace.MAX_TRIES)]
    assert pauses[:5] == [0, 1, 2, 4, 8]
    assert max(pauses) == pace.LONGEST_PAUSE_S
    assert 4 * 3600 < sum(pauses) < 6 * 3600


def test_a_letter_is_due_when_its_pause_is_over():
    assert pace.is_due(0, None, AT)
    assert not pace.is_due(3, AT, AT + timedelta(seconds=3.9))
    assert pace.is_due(3, AT, AT + timedelta(seconds=4))


def test_a_letter_is_given_up_after_many_tries_or_a_day():
    assert not pace.is_last(1, AT, AT + timedelta(hours=23))
    assert pace.is_last(pace.MAX_TRIES, AT, AT)
    assert pace.is_last(1, AT, AT + timedelta(days=1))


def test_a_bucket_lets_a_minute_s_worth_through_at_once_and_then_as_time_passes():
    bucket = pace.Bucket(3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(19.0)
    assert bucket.take(21.0)
    assert all(pace.Bucket(0).take(0.0) for _ in range(100))


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        (JobState.SUCCEEDED, Kind.DONE, "1.tif is done"),
        (JobState.FAILED, Kind.FAILED, "1.tif failed"),
        (JobState.CANCELLED, Kind.CANCELLED, "1.tif was cancelled"),
        (JobState.DEAD, Kind.GIVEN_UP, "1.tif was given up"),
    ],
)
def test_every_end_of_a_job_is_a_tiding_with_the_same_id_whoever_makes_it(state, kind, words):
    first, second = tidings.of_job(status(state=state)), tidings.of_job(status(state=state))
    assert first == second
    assert (first.kind, first.title) == (kind, words)
    assert tidings.of_job(status(state=state).model_copy(update={"attempt": 2})).id != first.id


def test_a_batch_says_how_many_ended_how_and_which_have_no_result():
    jobs = [status(1), status(2, JobState.FAILED), status(3)]
    told = tidings.of_batch("ann", "b", jobs)
    assert told.title == "A batch of 3 images has ended: 2 done, 1 failed"
    assert "Without a result:\n2.tif" in told.text
    assert told.payload["failed"] == 1
    assert tidings.of_batch("ann", "b", jobs[::-1]).id == told.id
    assert tidings.of_batch("ann", "b", [*jobs, status(4)]).id != told.id


def test_a_batch_has_ended_when_no_job_is_on_its_way_and_no_more_come():
    late = AT + QUIET
    assert has_ended([status(1), status(2, JobState.DEAD)], late)
    assert not has_ended([status(1)], late - timedelta(seconds=1))
    assert not has_ended([status(1), status(2, JobState.RUNNING)], late)
    assert not has_ended([], late)


def test_an_alert_is_told_once_for_each_turn():
    raised = Alert(id="disk", state=AlertState.RAISED, since=AT, at=AT, text="the disk is nearly full")
    cleared = raised.model_copy(update={"state": AlertState.CLEARED, "at": AT + timedelta(minutes=1)})
    again = raised.model_copy(update={"since": AT + timedelta(hours=1)})
    assert len({tidings.of_alert(one, "op").id for one in (raised, raised, cleared, again)}) == 3
    assert tidings.of_alert(raised, "op").title == "Alert: the disk is nearly full"
    assert tidings.of_alert(cleared, "op").title == "No longer: the disk is nearly full"


def test_a_mail_has_the_letter_s_id_and_nothing_in_a_name_makes_a_header():
    evil = "a.tif\r\nBcc: x@example.com\r\n\r\n.\r\nhello\u202e\x00"
    letter = letter_of(tidings.of_job(status(input_name=evil)), "c", Medium.MAIL)
    mail = message_of(letter, "halorow@example.org", "ann@example.org", "https://page.example")
    assert mail["Message-ID"] == f"<{letter.id}@example.org>"
    assert mail["X-Halorow-Delivery"] == letter.id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Bcc"] is None
    assert f"\r\nMessage-ID: <{letter.id}@example.org>\r\n" in mail.as_string()
    assert mail["Subject"] == "a.tif Bcc: x@example.com . hello is done"
    assert "https://page.example" in mail.get_content()
    assert message_of(letter, "h@example.org", "a@example.org", "")["Message-ID"] == mail["Message-ID"]


def test_a_line_is_one_line_and_of_bounded_length():
    assert line("a\n\tb\x07c" + "x" * 500, most=10) == "a b cxxxxx"
