"""Files made to harm: each is refused with a typed error, bombs from their header, in little memory."""

import pytest
from arena import LIMIT_BYTES
from traps import TRAPS


def test_there_are_at_least_forty_bombs():
    assert sum(trap.bomb for trap in TRAPS) >= 40
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if trap.bomb], ids=lambda trap: trap.name)
def test_bomb_is_refused_from_its_header(arena, tmp_path, trap):
    trap.write(tmp_path / trap.name)
    verdict = arena.plan(tmp_path / trap.name, **trap.options)
    assert verdict.kind != "good"
    assert verdict.typed, verdict
    assert not verdict.died
    assert verdict.peak_bytes < LIMIT_BYTES


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if not trap.bomb], ids=lambda trap: trap.name)
def test_trap_becomes_a_result_or_a_typed_error(arena, tmp_path, trap):
    trap.write(tmp_path / trap.name)
    for act in (arena.plan, arena.run):
        verdict = act(tmp_path / trap.name, **trap.options)
        assert verdict.typed, verdict
        assert verdict.peak_bytes < LIMIT_BYTES
