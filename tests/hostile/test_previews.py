"""Files made to harm, looked at on the page: tiles or a sentence, by a process that is disposable."""

import resource

import pytest
from traps import TRAPS

from mpi_stage.contract import Budget, Request, Tile
from mpi_stage.errors import StageError
from pipeline.previews.tiles import TileReaders

SHOWN = TRAPS[:: len(TRAPS) // 8]
PAGE_BYTES = 64 << 20


@pytest.fixture(scope="module")
def readers():
    made = TileReaders(1)
    yield made
    made.close()


def own_peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def looked_at(readers, path):
    request = Request(
        job="t", input=str(path), output="", output_name="t", steps=[], budget=Budget(10**8, 200, 2.0)
    )
    try:
        readers.ask(request, Tile("1"))
        return "PNG" if readers.ask(request, Tile("1", 1))["png"] else ""
    except StageError as error:
        return error.public_message


@pytest.mark.parametrize("trap", SHOWN, ids=lambda trap: trap.name)
def test_hostile_file_becomes_a_tile_or_a_sentence_and_never_a_trace(readers, tmp_path, trap):
    trap.write(tmp_path / trap.name)
    before = own_peak_bytes()
    said = looked_at(readers, tmp_path / trap.name)
    assert said
    assert "Traceback" not in said
    assert own_peak_bytes() < before + PAGE_BYTES
