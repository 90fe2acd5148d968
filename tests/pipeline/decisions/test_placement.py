"""The nodes that a world is put on, and the ranks that each of them gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decisions.placement import cores_on_nodes, cores_today, ranks_on_nodes

NODES = st.lists(st.integers(0, 64), max_size=12)


@pytest.mark.parametrize(
    ("cores", "nodes", "expected"),
    [
        (4, [16, 16], [4]),
        (8, [4, 16, 2], [8]),
        (24, [16, 16, 16], [12, 12]),
        (36, [16, 16, 4, 16], [12, 12, 12]),
        (18, [16, 4], [14, 4]),
        (3, [1, 1, 1], [1, 1, 1]),
        (48, [16], [16, 16, 16]),
        (8, [], [8]),
        (8, [0, 0], [8]),
    ],
)
def test_a_world_gets_the_fewest_nodes_that_have_its_cores(cores, nodes, expected):
    assert cores_on_nodes(cores, nodes) == expected


@pytest.mark.parametrize(
    ("cores", "nodes", "expected"),
    [
        (24, [], [12, 12]),
        (8, [], [8]),
        (8, [4], [8]),
        (8, [4, 4], [4, 4]),
        (20, [4], [4, 16]),
    ],
)
def test_where_today_s_nodes_are_too_few_those_that_may_come_are_asked_for(cores, nodes, expected):
    assert cores_on_nodes(cores, nodes, further=16) == expected


@given(st.integers(1, 300), NODES)
def test_no_node_is_asked_for_more_than_it_has_and_all_cores_are_there(cores, nodes):
    dealt = cores_on_nodes(cores, nodes)
    assert sum(dealt) == cores
    assert all(dealt)
    if cores <= sum(nodes):
        there = sorted(nodes, reverse=True)
        assert all(part <= size for part, size in zip(sorted(dealt, reverse=True), there, strict=False))


@given(st.integers(1, 64), st.integers(1, 64), NODES)
def test_every_node_gets_ranks_in_proportion_to_its_cores(ranks, cores, nodes):
    on_nodes = cores_on_nodes(cores, nodes)
    dealt = ranks_on_nodes(ranks, on_nodes)
    assert sum(dealt) == ranks
    for part, share in zip(dealt, on_nodes, strict=True):
        assert abs(part - ranks * share / cores) <= 1


def test_with_as_many_ranks_as_cores_each_core_gets_one():
    assert ranks_on_nodes(18, [14, 4]) == [14, 4]


def test_more_ranks_than_cores_crowd_on_what_there_is():
    assert cores_today(48, [16, 8]) == 24
    assert ranks_on_nodes(48, cores_on_nodes(24, [16, 8])) == [32, 16]
    assert cores_today(48, []) == 0
