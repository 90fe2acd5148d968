"""The networks that find the middle of a square, held to sorting it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.operations.arithmetic.selection import GREATER, LESSER, program, stages


def middle(square):
    """Return what the stages find in a square, each stage computed for each column once."""
    size, known = len(square), {}

    def run(number, column):
        if (number, column) not in known:
            known[number, column] = joined(number, column)
        return known[number, column]

    def joined(number, column):
        stage = stages(size)[number]
        values = [value for earlier, shift in stage.runs for value in run(earlier, column + shift)]
        values = values or list(square[:, column])
        for kind, a, b in stage.exchanges:
            lesser, greater = min(values[a], values[b]), max(values[a], values[b])
            if kind != GREATER:
                values[a] = lesser
            if kind != LESSER:
                values[b] = greater
        return [values[place] for place in stage.order]

    return run(len(stages(size)) - 1, 0)


@given(
    size=st.sampled_from([3, 5, 7, 9, 11, 13, 15, 17, 21]),
    spread=st.sampled_from([2, 3, 1000]),
    share=st.floats(0.3, 0.7),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_middle_is_found_among_any_values(size, spread, share, seed):
    random = np.random.default_rng(seed)
    # Two values near balance are the hardest to tell apart.
    square = random.random((size, size)) + share if spread == 2 else random.random((size, size)) * spread
    square = square.astype(int)
    assert middle(square) == [np.sort(square, axis=None)[size * size // 2]]


@pytest.mark.parametrize("size", [3, 9, 21])
def test_every_run_but_the_last_is_sorted_whole(size):
    *runs, last = stages(size)
    assert all(sorted(stage.order) == list(range(stage.columns * size)) for stage in runs)
    assert len(last.order) == 1


def test_a_program_spells_all_stages():
    numbers = program(5).reshape(-1).tolist()
    assert numbers[:2] == [5, len(stages(5))]
    spelled = sum(
        4 + 2 * len(stage.runs) + 3 * len(stage.exchanges) + len(stage.order) for stage in stages(5)
    )
    assert len(numbers) == 2 + spelled
