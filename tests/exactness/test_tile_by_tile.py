"""Point steps and changes of geometry go into tiles without rows between; the bytes are those of rows."""

from cases import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operation_harness import picture

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Pattern

NAMES = [
    one.name for one in OPERATIONS if one.pattern in {Pattern.POINT, Pattern.REDUCE} or one.remap is not None
]
SIZES = (1, 31, 32, 97, 150)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(case=cases(names=NAMES, sizes=SIZES), tile=st.sampled_from([(16, 16), (32, 48)]))
def test_tiles_and_rows_give_the_same_file(worlds, case, tile):
    spec = case.spec
    source = worlds.write(picture(case.seed, spec.rows, spec.columns, spec.channels, spec.dtype), tile=tile)
    ranks = (1, 2, 3)[case.seed % 3]
    by_tiles, by_rows = (
        worlds.run(ranks, source, case.steps, digest=digest).content for digest in (False, True)
    )
    assert by_tiles == by_rows
