"""The row arithmetic, without MPI."""

from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.geometry.partition import Partition, Rows, halo_need

partitions = st.builds(Partition, rows=st.integers(1, 500), ranks=st.integers(1, 17), unit=st.integers(1, 40))


@given(partitions)
def test_slabs_cover_every_row_once_and_in_order(partition):
    rows = [row for rank in range(partition.ranks) for row in range(*partition.slab(rank))]
    assert rows == list(range(partition.rows))


@given(partitions)
def test_slabs_begin_at_multiples_of_the_unit_and_differ_by_one_unit_at_most(partition):
    slabs = [partition.slab(rank) for rank in range(partition.ranks)]
    assert all(slab.first % partition.unit == 0 or not slab.height for slab in slabs)
    units = [-(-slab.height // partition.unit) for slab in slabs]
    assert max(units) - min(units) <= 1
    assert partition.largest == max(slab.height for slab in slabs)


@given(partitions, st.integers(-900, 900), st.integers(0, 900))
def test_pieces_name_the_owner_of_every_virtual_row(partition, first, count):
    seen = []
    for piece in partition.pieces(Rows(first, first + count)):
        slab = partition.slab(piece.owner)
        assert slab.first <= piece.first
        assert piece.first + piece.height <= slab.end
        assert piece.virtual % partition.rows == piece.first
        seen += range(piece.virtual, piece.virtual + piece.height)
    assert seen == list(range(first, first + count))


@given(partitions, st.integers(0, 700))
def test_a_clamped_halo_stays_inside_the_image(partition, halo):
    for rank in range(partition.ranks):
        slab, need = partition.slab(rank), halo_need(partition, rank, halo, periodic=False)
        if slab.height:
            assert need.above == Rows(max(0, slab.first - halo), slab.first)
            assert need.below == Rows(slab.end, min(partition.rows, slab.end + halo))


@given(partitions, st.integers(0, 700))
def test_a_periodic_halo_always_has_all_its_rows(partition, halo):
    for rank in range(partition.ranks):
        need = halo_need(partition, rank, halo, periodic=True)
        expected = halo if partition.slab(rank).height else 0
        assert need.above.height == need.below.height == expected
