"""The check of the house rules finds what breaks them."""

import runpy
from pathlib import Path

import pytest

CHECK = Path(__file__).parent.parent / ".ci" / "house.py"


@pytest.fixture
def house(tmp_path):
    """Give the check's names, with a folder of the test's own as the repository."""
    found = runpy.run_path(str(CHECK))
    found["strays"].__globals__["ROOT"] = tmp_path
    return found


def written(folder, text):
    path = folder / "one.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("def ghost_rows(): pass", "halo"),
        ("grey = 1", "gray"),
        ("class FilterChain: pass", "pipeline"),
        ("def f(task_id): pass", "job"),
    ],
)
def test_a_name_that_is_not_of_the_vocabulary_is_found(house, tmp_path, text, word):
    assert [line.rpartition(" ")[2] for line in house["strays"](written(tmp_path, text))] == [word]


def test_names_of_the_vocabulary_are_left_alone(house, tmp_path):
    text = "def halo_rows(rank, slab, greyhound_free=0): pass\npipeline = workflow = 1"
    assert len(list(house["strays"](written(tmp_path, text)))) == 2
    text = "def halo_rows(rank, slab): pass\npipeline = job_id = 1"
    assert list(house["strays"](written(tmp_path, text))) == []


def test_a_file_that_is_too_long_is_found(house, tmp_path):
    wrong, _ = house["sizes"]([written(tmp_path, "def f(): pass\n" + "a = 1\n" * 300)])
    assert [line.split(" has")[0] for line in wrong] == ["the median file", "the 90th percentile of files"]


def test_a_function_that_is_too_long_is_found(house, tmp_path):
    wrong, _ = house["sizes"]([written(tmp_path, "def f():\n" + "    a = 1\n" * 30)])
    assert wrong == ["the 90th percentile of functions has 31 lines, more than 25: divide the largest"]
