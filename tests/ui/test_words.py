"""Numbers and texts as the page shows them."""

import pytest

from ui import words


@pytest.mark.parametrize(
    ("count_bytes", "shown"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (3_221_225_472, "3.2 GB"), (5 * 10**12, "5.0 TB")],
)
def test_sizes_are_shown_with_a_decimal_unit(count_bytes, shown):
    assert words.size(count_bytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "under 1 s"), (12.4, "12 s"), (59.9, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_are_shown_in_their_two_largest_units(seconds, shown):
    assert words.duration(seconds) == shown


def test_counts_take_the_plural_and_separate_thousands():
    assert [words.count(1, "row"), words.count(2048, "row")] == ["1 row", "2,048 rows"]
    assert [words.count(1, "try"), words.count(2, "try"), words.count(2, "day")] == [
        "1 try",
        "2 tries",
        "2 days",
    ]


def test_slow_rates_keep_a_decimal():
    rates = [words.pixel_rate(pixels) for pixels in (23_400, 2_340_000, 1_250_400_000)]
    assert rates == ["0.023 MP/s", "2.3 MP/s", "1,250 MP/s"]


def test_text_from_outside_cannot_format_the_page():
    assert words.plain("**a** [b](c) :red[d]\n<e>") == (
        "\\*\\*a\\*\\* \\[b\\]\\(c\\) \\:red\\[d\\]  \n\\<e\\>"
    )
