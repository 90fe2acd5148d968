"""The decision on how many nodes there are to be: bounds, no going to and fro, draining in time."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decisions.autoscale import Demand, Limits, Target, decide, drain_s
from tests.pipeline.decisions.autoscale_simulation import STEP_S, Cluster

LIMITS = Limits(nodes_max=10, node_cores=4, drain_s=100.0, start_s=20.0, quiet_s=30.0)

limits = st.builds(
    Limits,
    nodes_max=st.integers(4, 12),
    node_cores=st.integers(1, 8),
    nodes_min=st.integers(0, 2),
    standby=st.integers(0, 2),
    drain_s=st.sampled_from([100.0, 300.0]),
    start_s=st.sampled_from([0.0, 20.0, 60.0]),
    quiet_s=st.sampled_from([15.0, 60.0]),
)
speeds = st.sampled_from([0.3, 1.0, 4.0])


def demand(jobs=1, core_s=0.0, at_s=0.0, **more):
    return Demand(at_s=at_s, jobs=jobs, core_s=core_s, **more)


def changes(wanted):
    """Return the differences of what is wanted from step to step, without those that are none."""
    return [after - before for before, after in pairwise(wanted) if after != before]


def turns(wanted):
    """Return how often what is wanted changes its direction."""
    ups = [change > 0 for change in changes(wanted)]
    return sum(before != after for before, after in pairwise(ups))


def test_an_empty_queue_needs_no_node():
    assert decide(Target(), demand(jobs=0), LIMITS).wanted == 0


def test_the_smallest_job_needs_a_node():
    assert decide(Target(), demand(core_s=0.001), LIMITS).wanted == 1


def test_nodes_that_are_not_there_yet_have_less_time_to_drain_the_queue():
    # 4 cores × 100 s of a node that is there, 4 cores × 80 s of one that has to start.
    assert decide(Target(), demand(core_s=640), LIMITS).wanted == 2
    assert decide(Target(), demand(core_s=641), LIMITS).wanted == 3
    assert decide(Target(), demand(core_s=720, alive=1), LIMITS).wanted == 2
    assert decide(Target(), demand(core_s=800, alive=2), LIMITS).wanted == 2


def test_slow_cores_need_more_nodes():
    assert decide(Target(), demand(core_s=640, speed=0.5), LIMITS).wanted == 4


def test_what_arrives_needs_nodes_though_little_waits():
    assert decide(Target(), demand(core_s=1, arriving=11.0), LIMITS).wanted == 3


def test_standby_is_kept_beside_what_the_queue_needs_and_within_the_maximum():
    limits = Limits(nodes_max=3, node_cores=4, standby=2, drain_s=100.0, start_s=20.0)
    assert decide(Target(), demand(jobs=0), limits).wanted == 2
    assert decide(Target(), demand(core_s=1), limits).wanted == 3
    assert decide(Target(), demand(core_s=10_000), limits).wanted == 3


def test_nodes_are_let_go_when_the_queue_has_been_empty_for_long_enough():
    busy = decide(Target(), demand(core_s=640), LIMITS)
    empty = decide(busy, demand(jobs=0, at_s=10.0), LIMITS)
    assert empty.wanted == 2
    again = decide(empty, demand(core_s=1, at_s=20.0), LIMITS)
    still = decide(again, demand(jobs=0, at_s=45.0), LIMITS)
    assert decide(still, demand(jobs=0, at_s=74.0), LIMITS).wanted == 2
    assert decide(still, demand(jobs=0, at_s=75.0), LIMITS).wanted == 0


def test_a_smaller_queue_lets_nodes_go_only_after_the_time_to_drain_and_to_the_most_needed_since():
    target = decide(Target(), demand(core_s=1600), LIMITS)
    assert target.wanted == 5
    for at_s, core_s in [(10.0, 10.0), (60.0, 900.0), (105.0, 10.0)]:
        target = decide(target, demand(core_s=core_s, at_s=at_s, alive=5), LIMITS)
        assert target.wanted == 5
    assert decide(target, demand(core_s=10.0, at_s=110.0, alive=5), LIMITS).wanted == 3


def test_the_time_to_drain_is_unknown_without_nodes():
    assert drain_s(demand(core_s=80, alive=2, speed=0.5), node_cores=4) == pytest.approx(20.0)
    assert drain_s(demand(core_s=80), node_cores=4) == -1.0
    assert drain_s(demand(jobs=0), node_cores=4) == 0.0


@given(
    limits=limits,
    demands=st.lists(
        st.tuples(
            st.floats(0, 1000),
            st.integers(0, 5),
            st.floats(0, 1e7),
            st.floats(0, 1e4),
            st.floats(1e-3, 1e3),
            st.integers(0, 30),
        ),
        max_size=30,
    ),
)
def test_never_above_the_maximum_nor_below_the_minimum_and_the_standby(limits, demands):
    target, at_s = Target(), 0.0
    for step_s, jobs, core_s, arriving, speed, alive in demands:
        at_s += step_s
        one = Demand(at_s, jobs, core_s if jobs else 0.0, arriving, speed, alive)
        target = decide(target, one, limits)
        assert max(limits.nodes_min, limits.standby) <= target.wanted <= limits.nodes_max
        assert not jobs or target.needed >= 1


@settings(max_examples=40)
@given(
    limits=limits, noise=st.lists(st.floats(0.91, 1.09), min_size=100, max_size=100), core_s=st.floats(1, 1e4)
)
def test_a_queue_that_varies_by_less_than_a_tenth_never_makes_it_go_to_and_fro(limits, noise, core_s):
    target, wanted = Target(), []
    for step, factor in enumerate(noise):
        one = demand(core_s=core_s * factor, at_s=step * limits.drain_s / 4, alive=target.wanted)
        target = decide(target, one, limits)
        wanted.append(target.wanted)
    # Of nodes that have yet to start more are wanted than of those that are there: it may go down once.
    assert turns(wanted) <= 1, wanted


@settings(max_examples=25)
@given(
    limits=limits,
    speed=speeds,
    share=st.floats(0.1, 0.8),
    job_s=st.sampled_from([2.0, 10.0]),
)
def test_a_steady_stream_of_jobs_never_makes_it_go_to_and_fro(limits, speed, share, job_s):
    cluster, owed = Cluster(limits, speed), 0.0
    per_step = share * limits.nodes_max * limits.node_cores * STEP_S  # in core-seconds that are truly needed
    for _ in range(round(12 * limits.drain_s / STEP_S)):
        owed += per_step / job_s
        cluster.submit(int(owed), job_s * speed)
        owed -= int(owed)
        cluster.step()
    started = round(3 * limits.drain_s / STEP_S)
    assert turns(cluster.wanted[started:]) <= 1, cluster.wanted
    assert not turns(cluster.wanted[len(cluster.wanted) // 2 :]), cluster.wanted


@settings(max_examples=40)
@given(limits=limits, speed=speeds, share=st.floats(0.05, 1.0), job_s=st.sampled_from([1.0, 5.0]))
def test_a_queue_drains_within_the_target_where_the_maximum_allows(limits, speed, share, job_s):
    cluster = Cluster(limits, speed, known=True)
    most = limits.nodes_max * limits.node_cores * (limits.drain_s - limits.start_s) * speed
    cluster.submit(max(1, int(share * most / job_s)), job_s)
    while cluster.jobs:
        cluster.step()
        assert cluster.at_s <= limits.drain_s + 2 * job_s / speed + 3 * STEP_S, cluster.wanted


@settings(max_examples=25)
@given(limits=limits, speed=speeds, jobs=st.integers(1, 300))
def test_a_drained_queue_leaves_nothing_but_minimum_and_standby(limits, speed, jobs):
    cluster = Cluster(limits, speed)
    cluster.submit(jobs, 5.0)
    while cluster.jobs:
        cluster.step()
    for _ in range(int(limits.quiet_s / STEP_S) + 2):
        cluster.step()
    assert len(cluster.nodes) == cluster.target.wanted == max(limits.nodes_min, limits.standby)


@settings(max_examples=25)
@given(limits=limits, lost=st.integers(1, 12))
def test_nodes_that_vanish_are_replaced_and_the_queue_drains_all_the_same(limits, lost):
    cluster = Cluster(limits)
    cluster.submit(200, 5.0)
    for _ in range(10):
        cluster.step()
    cluster.lose(lost)
    for _ in range(2000):
        if not cluster.jobs:
            break
        cluster.step()
    assert not cluster.jobs
