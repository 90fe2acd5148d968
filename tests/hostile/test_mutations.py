"""Sound files of every format, and damaged copies of them."""

import os

import pytest
from good import good_files
from tally import Tally, mutations

CASES = int(os.environ.get("HALOROW_FUZZ_CASES", "300"))


def test_sound_files_are_filtered(arena, tmp_path):
    for path in good_files(tmp_path):
        verdict = arena.run(path)
        assert verdict.kind == "good", (path.name, verdict)


@pytest.mark.fuzz
def test_damaged_files_become_results_or_typed_errors(arena, tmp_path):
    tally = Tally()
    mutations(arena, tmp_path, 1, 0, CASES, tally)
    assert tally.wrong == []
    assert tally.files == CASES
    assert tally.kinds["good"] > 0
    assert tally.kinds["DamagedInputError"] > 0
