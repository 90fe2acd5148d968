"""The exactness matrix as a test; ``make docs`` runs all of it and writes docs/exactness.md."""

import os
from pathlib import Path

import pytest
from matrix import Line, cells, try_cell
from matrix_document import document
from worlds import RANKS

from mpi_stage.operations.catalogue import OPERATIONS

WHOLE = os.environ.get("HALOROW_WRITE_DOCS") == "1"
SLICE = 4
"""Without the whole matrix, so many cells of each operation are tried, on two worlds besides one rank."""

BOUNDS = {"uint8": 0.0, "uint16": 0.0, "float32": 1e-6}
OWN_BOUNDS: dict[str, dict[str, float]] = {
    "resize": {"uint8": 1, "uint16": 1, "float32": 2e-6},
    "rotate": {"uint8": 1, "uint16": 1, "float32": 1e-5},
    **{name: {"uint8": 1, "uint16": 1, "float32": 1e-5} for name in ("lowpass", "highpass", "bandpass")},
    "harris": {"uint8": 0, "uint16": 0, "float32": 1e-5},
}
"""Bounds that the catalogue states for an operation by itself."""

LINES: list[Line] = []


@pytest.fixture(scope="module", autouse=True)
def _written():
    """Write the document when the whole matrix has been tried."""
    yield
    if WHOLE:
        path = Path(__file__).parents[2] / "docs" / "exactness.md"
        path.write_text(document(LINES, OPERATIONS, RANKS))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_an_operation_gives_the_same_bytes_everywhere_and_the_reference_s(worlds, operation):
    chosen = list(cells(operation))
    assert chosen, "the operation takes nothing"
    line = Line(operation.name)
    step = 1 if WHOLE else max(1, len(chosen) // SLICE)
    for number, cell in enumerate(chosen[::step]):
        try_cell(worlds, cell, line, RANKS if WHOLE else (1, RANKS[1 + number % 4]))
    LINES.append(line)
    assert line.differing == 0
    for dtype, largest in line.largest.items():
        assert largest <= OWN_BOUNDS.get(operation.name, BOUNDS)[dtype], dtype
