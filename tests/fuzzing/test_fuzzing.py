"""Bytes of every kind given to the parsers: only errors of the project come out."""

import os
import random
from importlib.util import find_spec

import pytest
from mutate import changed

from tests.fuzzing.__main__ import fuzz
from tests.fuzzing.targets import TARGETS

CASES = int(os.environ.get("HALOROW_FUZZ_CASES", "400"))
SECONDS = 2


@pytest.mark.fuzz
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_examples_raise_nothing_but_errors_of_the_project(name):
    target = TARGETS[name]
    seeds = list(target.seeds())
    for seed in seeds:
        target.run(seed)
    for number in range(CASES):
        target.run(changed(random.Random(f"{name}:{number}"), seeds[number % len(seeds)]))


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: pip install -e '.[fuzz]'")
@pytest.mark.parametrize("name", TARGETS)
def test_fuzzing_under_the_guidance_of_coverage_finds_nothing(name, tmp_path):
    code, said = fuzz(name, SECONDS, tmp_path / name)
    assert code == 0, said
    assert "stat::number_of_executed_units" in said
