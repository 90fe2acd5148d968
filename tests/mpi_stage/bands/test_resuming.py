"""An attempt goes on from the bands of those before it, and makes the bytes that a quiet run makes."""

import os
import random
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from band_attempts import BAND_ROWS, DEADLINE_S, ROWS, bands_of, count, journalled

from mpi_stage.errors import StageError

LAYOUTS = {
    "plain strips": {"compression": "none"},
    "plain tiles": {"compression": "none", "tile": 16},
    "coded strips": {"compression": "deflate"},
    "coded tiles": {"compression": "zstd", "tile": 32},
    "Zarr": {"name": "out.zarr", "tile": 64},
    "OME-Zarr": {"name": "out.ome.zarr", "tile": 64, "compression": "zstd"},
}
STEPS = {
    "stencils": "gaussian:sigma=1.5 median:size=3 invert",
    "reduce": "gaussian:sigma=1 equalize",
    "global": "canny",
    "periodic": "gaussian:sigma=2,border=wrap",
}

DAMAGED_ROW = 400


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_number_of_ranks_goes_on_and_makes_the_same_bytes(attempts, layout):
    options, steps = LAYOUTS[layout], STEPS["stencils"]
    _, quiet = attempts.quiet(steps, **options)
    attempts.stopped(2, steps, at_row=400, **options)

    report, output = attempts.run(3, steps, **options)

    assert output == quiet
    assert count(report, "reused") >= 1
    assert count(report, "reused") + count(report, "made") == bands_of(report)
    assert count(report, "refused") == 0


@pytest.mark.parametrize("steps", STEPS)
def test_bands_are_reused_whatever_the_steps_need_of_their_neighbours(attempts, steps):
    quiet_report, quiet = attempts.quiet(STEPS[steps])
    report, output = attempts.run(1, STEPS[steps])
    assert (output, count(report, "made")) == (quiet, bands_of(report))
    damage(attempts.places()[0] / "output", lambda content: content[:-9] + b"x" * 9)

    report, output = attempts.run(2, STEPS[steps])

    assert output == quiet
    assert report.pixels_sha256 == quiet_report.pixels_sha256
    assert (count(report, "refused"), count(report, "made")) == (1, 1)
    assert count(report, "reused") == bands_of(report) - 1


def test_ranks_tell_which_bands_are_kept_those_taken_over_at_once(attempts):
    attempts.stopped(2, "box:size=5", at_row=400)
    told: dict[int, list[dict]] = {}
    request = attempts.request(attempts.sound, "box:size=5")

    def hear(event):
        if event["event"] == "progress":
            told.setdefault(event["rank"], []).append(event)

    report = attempts.world(3).run(request, deadline_s=DEADLINE_S, on_event=hear)

    assert {event["bands"] for events in told.values() for event in events} == {bands_of(report)}
    first = sum(end - begin for events in told.values() for begin, end in events[0]["bands_done"])
    assert first >= count(report, "reused") >= 1
    last = [band for events in told.values() for span in events[-1]["bands_done"] for band in range(*span)]
    assert sorted(last) == list(range(bands_of(report)))


def test_a_killed_rank_costs_each_rank_one_band_at_most(attempts):
    steps = "denoise"
    _, quiet = attempts.quiet(steps)
    there = attempts.killed(2, steps, after=2)

    report, output = attempts.run(3, steps)

    assert output == quiet
    assert count(report, "reused") == there
    assert count(report, "made") == bands_of(report) - there


@pytest.mark.parametrize("block_rows", [20, ROWS])
@pytest.mark.parametrize(("steps", "halo_rows"), [("median:size=41", 20), ("median:size=5 median:size=3", 3)])
def test_an_attempt_that_ends_in_a_band_keeps_all_before_however_high_its_blocks(
    attempts, steps, halo_rows, block_rows
):
    _, quiet = attempts.quiet(steps)
    attempts.stopped(1, steps, at_row=DAMAGED_ROW, block_rows=block_rows)

    report, output = attempts.run(2, steps)

    assert output == quiet
    assert count(report, "reused") == (DAMAGED_ROW - halo_rows) // BAND_ROWS


def test_kills_at_random_bands_of_random_worlds_end_in_the_same_bytes(attempts):
    steps, chance, there = "denoise", random.Random(11), 0
    _, quiet = attempts.quiet(steps, compression="zstd", tile=32)
    for _ in range(3):
        there = attempts.killed(chance.choice((1, 2, 3)), steps, after=there + 1, compression="zstd", tile=32)

    report, output = attempts.run(2, steps, compression="zstd", tile=32)

    assert output == quiet
    assert (count(report, "reused"), count(report, "refused")) == (there, 0)
    assert count(report, "made") == bands_of(report) - there


@pytest.mark.parametrize("digest", [True, False])
@pytest.mark.parametrize("tear", [lambda content: content[: len(content) // 2], lambda _: b""])
def test_bands_whose_bytes_are_gone_are_made_again(attempts, tear, digest):
    _, quiet = attempts.quiet("invert", tile=32)
    attempts.run(1, "invert", digest=digest, tile=32)
    damage(attempts.places()[0] / "output", tear)

    report, output = attempts.run(2, "invert", digest=digest, tile=32)

    assert output == quiet
    assert count(report, "refused") == count(report, "made") >= bands_of(report) // 2


def test_a_record_that_was_cut_short_is_none(attempts):
    _, quiet = attempts.quiet("invert", compression="zstd", tile=32)
    attempts.run(1, "invert", compression="zstd", tile=32)
    damage(attempts.places()[0] / "journal-000000", lambda content: content[:-7])

    report, output = attempts.run(1, "invert", compression="zstd", tile=32)

    assert output == quiet
    assert (count(report, "refused"), count(report, "made")) == (0, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"steps": "gaussian:sigma=2"},
        {"generation": "2"},
        {"compression": "zstd"},
        {"tile": 64},
    ],
    ids=["plan", "input", "compression", "tiles"],
)
def test_nothing_is_reused_of_another(attempts, other):
    usual = {"steps": "invert", "generation": "1", "compression": "none", "tile": 32}
    attempts.run(1, **usual)
    _, quiet = attempts.quiet(**{**usual, **other})

    report, output = attempts.run(1, **{**usual, **other})

    assert output == quiet
    assert (count(report, "reused"), count(report, "refused")) == (0, 0)


def test_bands_without_digests_are_not_enough_for_a_report_with_one(attempts):
    attempts.run(1, "invert", digest=False)
    report, _ = attempts.run(1, "invert")
    assert count(report, "reused") == 0


def test_the_bands_of_earlier_attempts_go_once_they_have_been_taken_over(attempts):
    attempts.run(1, "invert")
    report, _ = attempts.run(1, "invert")
    (left,) = attempts.places()
    assert journalled(left) == bands_of(report)


def test_an_attempt_that_is_still_at_work_may_go_on_and_harms_nobody(attempts):
    steps = "median:size=15 median:size=13 median:size=11"
    _, quiet = attempts.quiet(steps)
    request = attempts.request(attempts.sound, steps)
    stale = attempts.world(2)
    folder = Path(request.bands.folder)
    ranks = []

    def stop() -> bool:
        if journalled(folder) >= 2 and not ranks:
            ranks.extend(stale.pids())
            for rank in ranks:
                os.kill(rank, signal.SIGSTOP)
            report, output = attempts.run(1, steps)
            assert output == quiet
            assert count(report, "reused") >= 2
            for rank in ranks:
                os.kill(rank, signal.SIGCONT)
        return False

    with suppress(StageError):  # its folder is gone
        stale.run(request, cancelled=stop, deadline_s=DEADLINE_S)

    assert ranks
    assert (attempts.places()[0] / "output").read_bytes() == quiet
    assert len(attempts.places()) == 1


def test_a_small_output_is_not_kept_in_bands_and_says_why(attempts):
    request = attempts.request(attempts.sound, "invert")
    bands = replace(request.bands, band_bytes=None, earlier=["/nowhere"])
    report = attempts.world(1).run(replace(request, bands=bands), deadline_s=DEADLINE_S)
    assert report.band_rows == 0
    assert "bands begin at" in report.notes[0]
    assert attempts.places() == []


def test_a_shard_that_is_not_as_recorded_has_its_band_made_again(attempts):
    options = {"name": "out.ome.zarr", "tile": 64}
    _, quiet = attempts.quiet("invert", **options)
    attempts.run(1, "invert", **options)
    output = attempts.places()[0] / "output"
    damage(output / "0" / "c" / "0" / "1" / "0", lambda content: content[:99] + b"x" + content[100:])
    (output / "1" / "c" / "0" / "2" / "0").unlink()

    report, made = attempts.run(2, "invert", **options)

    assert made == quiet
    assert (count(report, "refused"), count(report, "made")) == (2, 2)


def damage(path, change):
    """Put something else into a file."""
    path.write_bytes(change(path.read_bytes()))
