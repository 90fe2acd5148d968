"""Fused steps as streams: what comes out is what each step would make of the whole image in turn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.geometry.partition import Partition, Rows, halo_need
from mpi_stage.image import ImageSpec
from mpi_stage.operations.arithmetic.borders import OUTSIDE, border_index
from mpi_stage.operations.declaring.declaration import Border, Operation, Pattern
from mpi_stage.operations.spelling.grammar import Step
from mpi_stage.planning.plan import PlannedStep
from mpi_stage.sweep.stream import Chain


def _lopsided(padded, params):
    """Weigh the neighbourhood so that every shift and every order of rows shows."""
    halo = params["halo"]
    rows, columns = padded.shape[0] - 2 * halo, padded.shape[1] - 2 * halo
    total = np.zeros((rows, columns, padded.shape[2]), np.uint16)
    for y in range(2 * halo + 1):
        for x in range(2 * halo + 1):
            total += padded[y : y + rows, x : x + columns] * np.uint16(7 * y + 3 * x + 1)
    return total


STENCIL = Operation(
    name="lopsided",
    label="",
    help="",
    family="test",
    pattern=Pattern.STENCIL,
    reference="",
    border=Border.MIRROR,
    halo=lambda params, _spec: int(params["halo"]),
    stencil=_lopsided,
)
POINT = Operation(
    name="odd",
    label="",
    help="",
    family="test",
    pattern=Pattern.POINT,
    reference="",
    point=lambda rows, _params: rows * np.uint16(5) + np.uint16(1),
)


def _into(kernel):
    """Return a kernel that puts its result into memory that is given, unless there are few rows."""

    def put(rows, params, out):
        if len(out) == 1:
            return False
        out[...] = kernel(rows, params)
        return True

    return put


STENCILS = (STENCIL, replace(STENCIL, into=_into(STENCIL.stencil)))
POINTS = (POINT, replace(POINT, into=_into(POINT.point)))


def _whole(image, step):
    """Apply one step to the whole image."""
    if step.operation.point is not None:
        return POINT.point(image, {})
    halo, fill = step.halo, step.step.params["fill"]
    index = [border_index(length, halo, halo, step.border) for length in image.shape[:2]]
    padded = image[np.maximum(index[0], 0)][:, np.maximum(index[1], 0)]
    padded[index[0] == OUTSIDE] = fill
    padded[:, index[1] == OUTSIDE] = fill
    return _lopsided(padded, step.step.params)


def _by_ranks(image, steps, ranks, block_rows, *, periodic, in_place):
    """Apply all steps, slab by slab and block by block."""
    partition = Partition(len(image), ranks)
    total = sum(step.halo for step in steps)
    out = []

    def collect(ready):
        out.append(ready.copy())

    for rank in range(ranks):
        slab = partition.slab(rank)
        if not slab.height:
            continue
        need = halo_need(partition, rank, total, periodic=periodic)
        arriving = Rows(need.above.first, need.below.end)
        rows = image[np.arange(arriving.first, arriving.end) % len(image)]
        chain = Chain(steps, arriving, slab, block_rows, periodic=periodic, measured=())
        for first in range(0, len(rows), block_rows):
            part = rows[first : first + block_rows]
            room = chain.first_room(len(part)) if in_place else None
            if room is not None:
                room[...] = part
            chain.push(part if room is None else room, collect)
        chain.finish(collect)
        assert sum(map(len, out)) == slab.end
    return np.concatenate(out)


@st.composite
def _cases(draw, borders):
    spec = ImageSpec(
        draw(st.integers(1, 24)), draw(st.integers(1, 9)), draw(st.sampled_from([1, 3, 4])), "uint16"
    )
    steps = []
    for halo in draw(st.lists(st.integers(0, 9), min_size=1, max_size=4)):
        border, fill = draw(st.sampled_from(borders)), draw(st.integers(0, 99))
        params = {"halo": halo, "border": str(border), "fill": fill}
        kind = draw(st.integers(0, 1))
        step = Step(STENCILS[kind], params) if halo else Step(POINTS[kind], {})
        steps.append(PlannedStep(step, spec, spec, halo))
    return spec, steps, draw(st.integers(1, 6)), draw(st.integers(1, 11))


@pytest.mark.parametrize(
    "borders", [[b for b in Border if b is not Border.WRAP], [Border.WRAP]], ids=["clamped", "wrap"]
)
@given(data=st.data())
def test_ranks_and_blocks_give_what_the_whole_image_gives(borders, data):
    spec, steps, ranks, block_rows = data.draw(_cases(borders))
    rng = np.random.default_rng(spec.rows)
    image = rng.integers(0, 60000, (spec.rows, spec.columns, spec.channels)).astype(np.uint16)
    expected = image
    for step in steps:
        expected = _whole(expected, step)
    periodic = borders == [Border.WRAP]
    in_place = data.draw(st.booleans())
    found = _by_ranks(image, steps, ranks, block_rows, periodic=periodic, in_place=in_place)
    assert np.array_equal(found, expected)
