"""The count behind the progress bar; the bar itself is seen in the tests of the command line."""

from pipeline.cli.progress import RunProgress

PLANNED = {"event": "planned", "plan": {"ranks": 2}}


def progress(rank, done, total):
    return {"event": "progress", "rank": rank, "rows_done": done, "rows_total": total}


def counted(*events):
    with RunProgress("a.tif", shown=False) as bar:
        for event in events:
            bar(event)
        return bar.rows


def test_rows_of_all_ranks_add_up():
    assert counted(PLANNED, progress(0, 10, 100), progress(1, 5, 101), progress(0, 20, 100)) == (25, 201)


def test_a_rank_that_has_not_reported_counts_like_the_others():
    assert counted(PLANNED, progress(1, 5, 100)) == (5, 200)


def test_nothing_is_known_before_the_first_report():
    assert counted(PLANNED) == (0, 0)


def test_nothing_is_shown_where_nobody_looks(capsys):
    with RunProgress("a.tif", shown=True) as bar:
        bar(progress(0, 50, 100))
    assert capsys.readouterr().err == ""
