"""Which values are shown black and white, and how often each is there."""

import numpy as np
import pytest

from mpi_stage.previews.tones import BINS, histogram, shown, stretch_for


def gray(values, dtype):
    return np.asarray(values, dtype).reshape(-1, 1, 1)


def test_bytes_are_shown_as_they_are():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert stretch_for(pixels) is None
    assert np.array_equal(shown(pixels, None), pixels)


def test_of_16_bits_a_thousandth_at_each_end_is_cut_off():
    low, high = stretch_for(gray(range(10_001), np.uint16))
    assert (round(low), round(high)) == (10, 9990)
    assert shown(gray([0, 10, 5000, 9990, 10_000], np.uint16), (low, high)).ravel().tolist() == [
        0, 0, 128, 255, 255,
    ]  # fmt: skip


def test_floats_within_0_and_1_are_shown_so_and_others_stretched():
    assert stretch_for(gray([0.2, 0.4], np.float32)) == (0.0, 1.0)
    low, high = stretch_for(gray([-5, 0, 5], np.float32))
    assert low < -4.9
    assert high > 4.9


def test_an_even_picture_is_no_division_by_zero():
    low, high = stretch_for(gray([7, 7], np.uint16))
    assert shown(gray([7, 7], np.uint16), (low, high)).tolist() == [[0], [0]]


def test_values_that_are_no_numbers_are_black():
    values = gray([np.nan, np.inf, -np.inf, 1], np.float32)
    assert shown(values, (0.0, 1.0)).ravel().tolist()[1:] == [255, 0, 255]
    assert stretch_for(values) is not None


@pytest.mark.parametrize(
    ("channels", "expected"), [(1, (2, 2)), (2, (2, 2)), (3, (2, 2, 3)), (4, (2, 2, 4)), (6, (2, 2, 3))]
)
def test_what_is_shown_has_one_three_or_four_channels(channels, expected):
    assert shown(np.zeros((2, 2, channels), np.uint8), None).shape == expected


def test_a_histogram_counts_every_pixel_of_each_colour():
    pixels = np.random.default_rng(2).integers(0, 256, (30, 20, 3), np.uint8)
    made = histogram(pixels)
    assert (made["low"], made["high"]) == (0.0, 256.0)
    assert [sum(counts) for counts in made["counts"]] == [600] * 3
    assert made["counts"][0] == np.histogram(pixels[:, :, 0], BINS, (0, 256))[0].tolist()
