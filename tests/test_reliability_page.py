"""docs/reliability.md says what the result files say, and does not call a missed figure held."""

import pytest

from docs.generate.reliability import PAGE, document, holds
from docs.generate.reliability_parts import PARTS, Figure, Part, largest
from docs.generate.reliability_results import FOLDER, Run, load

PART = Part(
    "falls",
    "Falling down",
    "It falls.",
    "make falls",
    (Figure("falls", "falls", at_least=5), Figure("worst_s", "longest, s", largest, at_most=2.0)),
)


def slice_of(seed, falls, worst_s):
    return Run("falls", seed, {"falls": falls, "worst_s": worst_s}, 1.0, {"by": {"hand": falls}})


def test_the_committed_page_is_what_the_result_files_give():
    assert PAGE.read_text() == document(load()), "run `python -m docs.generate.reliability`"


def test_every_result_file_belongs_to_a_part_and_has_its_figures():
    known = {part.name: {figure.name for figure in part.figures} for part in PARTS}
    for run in load():
        assert known[run.part] <= set(run.figures), f"{run.part}-{run.seed}.json in {FOLDER}"


def test_every_plot_of_a_part_that_was_run_is_there():
    run = {one.part for one in load()}
    assert [
        name for part in PARTS if part.name in run for name in part.plots if not (FOLDER / name).exists()
    ] == []


def test_slices_add_up_and_of_a_limit_the_worst_counts():
    assert holds(PART, [slice_of(1, 3, 1.5), slice_of(2, 2, 0.5)])
    assert not holds(PART, [slice_of(1, 3, 1.5)])
    assert not holds(PART, [slice_of(1, 3, 1.5), slice_of(2, 2, 2.5)])
    assert not holds(PART, [])


def test_of_the_longest_the_largest_counts_in_tables_too(monkeypatch):
    monkeypatch.setattr("docs.generate.reliability.PARTS", (PART,))
    runs = [
        Run(
            "falls",
            seed,
            {"falls": 1, "worst_s": 1.0},
            1.0,
            {"longest fall, m": {"tree": seed}, "by": {"hand": 2}},
        )
        for seed in (3, 5)
    ]

    page = document(runs)
    assert "| tree | 5 |" in page
    assert "| hand | 4 |" in page


def test_a_missed_figure_is_said_to_be_missed(monkeypatch):
    monkeypatch.setattr("docs.generate.reliability.PARTS", (PART,))

    assert "| **not held** |" in document([slice_of(1, 4, 1.0)])
    assert "| held |" in document([slice_of(1, 5, 1.0)])
    assert "not run yet" in document([])


def test_a_run_is_read_as_it_was_written(tmp_path):
    run = slice_of(7, 1, 0.5)
    run.write(tmp_path)

    assert load(tmp_path) == [run]


@pytest.mark.parametrize("part", PARTS, ids=lambda one: one.name)
def test_every_part_has_a_bound(part):
    assert any(figure.bound != "–" for figure in part.figures)
