"""Lists of numbers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.drafts.number_lists import as_numbers, as_text


@pytest.mark.parametrize("text", ["1, 2.5,3", "1 2.5 3", " 1;2.5;\n3 "])
def test_numbers_may_be_separated_in_any_usual_way(text):
    assert as_numbers(text) == (1.0, 2.5, 3.0)


def test_no_numbers_are_no_value():
    assert as_numbers("  ") is None


def test_what_is_no_list_is_left_for_the_check_to_name():
    assert as_numbers("1, two") == "1, two"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9).map(tuple))
def test_numbers_come_back_as_they_were_typed(numbers):
    assert as_numbers(as_text(numbers)) == numbers
