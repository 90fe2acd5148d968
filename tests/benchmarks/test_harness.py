"""How the benchmarks run their sides and compare them."""

import math

import pytest

from benchmarks.harness import MIN_RUNS, Series, alternate, geometric_mean, ratio
from benchmarks.table import Table


def test_the_sides_are_run_in_turn_and_warm_ups_do_not_count():
    order = []

    def side(name):
        def run():
            order.append(name)
            return {"all": float(len(order))}

        return run

    series = alternate({"a": side("a"), "b": side("b")}, runs=2, warm_ups=1)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert series["a"]["all"].values == (3.0, 5.0)
    assert series["b"]["all"].values == (4.0, 6.0)


def test_a_ratio_above_one_means_that_ours_is_faster():
    compared = ratio(theirs=Series((4.0, 6.0, 8.0)), ours=Series((2.0, 2.0, 2.0)))
    assert (compared.value, compared.low, compared.high) == (3.0, 2.0, 4.0)


def test_sides_that_were_not_run_equally_often_cannot_be_compared():
    with pytest.raises(ValueError, match="shorter"):
        ratio(Series((1.0, 2.0)), Series((1.0,)))


def test_twice_and_half_as_fast_is_as_fast_on_the_whole():
    assert math.isclose(geometric_mean([2.0, 0.5]), 1.0)


def test_a_table_becomes_markdown_with_its_notes():
    table = Table("P0", "nothing", ["step", "ratio"], [["`invert`", "1.00×"]], ["A note."])
    assert (
        table.markdown()
        == "## P0: nothing\n\n| step | ratio |\n|---|---|\n| `invert` | 1.00× |\n\n- A note.\n"
    )


def test_a_time_budget_ends_the_rounds_but_leaves_three():
    calls = []

    def slow():
        calls.append(1)
        return {"all": 1.0}

    series = alternate({"a": slow}, runs=9, warm_ups=0, budget_s=0.0)
    assert len(series["a"]["all"].values) == len(calls) == MIN_RUNS
