"""A crop of a preview has the bytes that this region of the whole result has."""

import os

import cv2
import numpy as np
import pytest
from cases import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpi4py import MPI
from operation_harness import picture

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Pattern
from mpi_stage.operations.spelling.grammar import parse_json
from mpi_stage.previews.evaluate import Means, crop_filtered, filtered, piece
from mpi_stage.previews.parts import crop_of, cut, trace
from mpi_stage.rows.context import RankContext

NEAR = [
    one.name for one in OPERATIONS if one.pattern in {Pattern.POINT, Pattern.STENCIL} or one.remap is not None
]
SIZES = (61, 131, 211, 307)
CASES = int(os.environ.get("HALOROW_FUZZ_CASES", "40"))


@pytest.fixture(autouse=True)
def _one_thread():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.mark.fuzz
@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(
    case=cases(names=NEAR, sizes=SIZES),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_crop_is_the_same_region_of_the_result(case, size, place):
    spec = case.spec
    image = picture(case.seed, spec.rows, spec.columns, spec.channels, spec.dtype)
    means = Means(RankContext(MPI.COMM_SELF), 1 << 30, None, spec.dtype)
    parts = cut(parse_json(case.steps), spec)
    whole = image
    for part in parts:
        whole, _ = filtered(part, whole, means)
    window = crop_of(parts[-1].after, *place, *size)
    traced = trace(parts, window)
    if not traced.exact:
        assert traced.wraps
        return
    everywhere = Window(Rows(0, spec.rows), Rows(0, spec.columns))
    made = crop_filtered(
        parts,
        traced.windows,
        lambda wanted: piece(image, everywhere, wanted),
        means,
        [() for _ in parts],
    )
    crop = piece(made, traced.windows[-1], window)
    rows, columns = window
    wanted = whole[rows.first : rows.end, columns.first : columns.end]
    assert crop.dtype == wanted.dtype
    assert np.ascontiguousarray(crop).tobytes() == np.ascontiguousarray(wanted).tobytes()
