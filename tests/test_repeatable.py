"""What Hypothesis gives a test does not depend on what else is loaded or run."""

import importlib.util
import sys

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.repeatable import same_each_time

EXAMPLES = 300


def drawn():
    """Return the numbers that a derandomized test is given."""
    numbers = []

    @settings(derandomize=True, max_examples=EXAMPLES, phases=[Phase.generate])
    @given(st.integers())
    def draw(number):
        numbers.append(number)

    with same_each_time():
        draw()
    return numbers


def test_the_numbers_of_a_module_that_is_loaded_in_between_change_nothing(tmp_path, monkeypatch):
    before = drawn()
    path = tmp_path.with_name("numbers.py")  # where Hypothesis would look: under no folder of tests
    path.write_text(f"MANY = {list(range(10_007, 900_000, 7_919))}\n")
    spec = importlib.util.spec_from_file_location("numbers_of_nobody", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, spec.name, module)
    assert len(before) == EXAMPLES
    assert drawn() == before
