"""The jobs that a viewer may see: found, counted, and told again only where they changed."""

from datetime import UTC, datetime, timedelta

from pipeline.models import JobState, JobStatus, Lane
from ui.following.book import Asked, JobBook

START = datetime(2030, 1, 1, tzinfo=UTC)
ALL = Asked(most=100)


def status(number, state=JobState.RUNNING, **more):
    return JobStatus(
        **{
            "id": f"j{number}",
            "state": state,
            "lane": Lane.SINGLE,
            "input_name": f"cat-{number}.tif",
            "pipeline": "invert",
            "created_at": START + timedelta(seconds=number),
            "updated_at": START,
            **more,
        }
    )


def book_of(*statuses):
    book = JobBook()
    book.replace(statuses, 0)
    return book


def test_the_newest_come_first_and_no_more_than_asked_for():
    seen = book_of(*(status(number) for number in range(5))).look(Asked(most=2))
    assert (seen["ids"], seen["total"], len(seen["cards"])) == (["j4", "j3"], 5, 2)


def test_an_answer_leaves_out_what_is_known():
    book = book_of(status(1), status(2))
    first = book.look(ALL)
    assert book.look(ALL, first["epoch"], first["seq"])["cards"] == []
    book.take(status(1, JobState.SUCCEEDED))
    second = book.look(ALL, first["epoch"], first["seq"])
    assert [card["id"] for card in second["cards"]] == ["j1"]
    assert second["ids"] == ["j2", "j1"]


def test_who_knows_another_book_is_told_everything():
    seen = book_of(status(1)).look(ALL, "of another process", 1_000)
    assert [card["id"] for card in seen["cards"]] == ["j1"]


def test_states_are_counted_among_all_that_match_the_text():
    book = book_of(
        status(1), status(2, JobState.RETRYING), status(3, JobState.DEAD), status(4, input_name="dog.tif")
    )
    seen = book.look(Asked("failed", "cat", 10))
    assert seen["in"] == {"waiting": 0, "running": 2, "done": 0, "failed": 1, "cancelled": 0}
    assert (seen["ids"], seen["total"], seen["known"]) == (["j3"], 1, 4)


def test_all_words_are_searched_for_in_name_pipeline_batch_and_id():
    book = book_of(status(1, pipeline="canny:low=5", batch="tuesday"), status(2, batch="tuesday"))
    assert book.look(Asked(text="CANNY tues cat-1"))["ids"] == ["j1"]
    assert book.look(Asked(text="j2"))["ids"] == ["j2"]


def test_a_batch_is_found_by_its_whole_name_alone():
    book = book_of(status(1, batch="a"), status(2, batch="ab"))
    assert book.look(Asked(text="batch:a"))["ids"] == ["j1"]


def test_a_list_that_was_read_takes_jobs_away_but_not_what_was_told_meanwhile():
    book = book_of(status(1), status(2))
    read_at = book.changes
    book.take(status(3))
    book.take(status(2, JobState.SUCCEEDED))
    book.replace([status(2)], read_at)
    seen = book.look(ALL)
    assert seen["ids"] == ["j3", "j2"]
    assert seen["in"]["done"] == 1


def test_a_list_that_says_nothing_new_changes_nothing():
    book = book_of(status(1))
    before = book.changes
    book.replace([status(1)], before)
    assert book.changes == before
