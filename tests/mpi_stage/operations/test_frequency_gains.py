"""The gains of the frequency filters, without ranks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import picture, run

from mpi_stage.operations.frequency import (
    BATCH,
    EXCHANGE_BYTES,
    frequencies,
    gains,
    lines_at_once,
    round_height,
)

ZERO = np.zeros(1, np.int64)


@pytest.mark.parametrize("order", [1, 2, 10])
def test_half_is_left_at_the_cutoff_and_everything_at_frequency_zero(order):
    params = {"cutoff": 5.0, "order": order}
    assert gains("lowpass", np.array([3]), np.array([4]), params) == 0.5
    assert gains("highpass", np.array([3]), np.array([4]), params) == 0.5
    assert gains("lowpass", ZERO, ZERO, params) == 1
    assert gains("highpass", ZERO, ZERO, params) == 0


def test_a_higher_order_is_steeper():
    beyond = np.array([8])
    found = [gains("lowpass", ZERO, beyond, {"cutoff": 5.0, "order": order})[0, 0] for order in (1, 3, 10)]
    assert found[0] > found[1] > found[2] > 0


def test_a_bandpass_is_the_product_of_its_halves_and_its_limits_may_change_places():
    down, across = frequencies(9), np.arange(5)
    halves = gains("lowpass", down, across, {"cutoff": 7.0, "order": 2}) * gains(
        "highpass", down, across, {"cutoff": 2.0, "order": 2}
    )
    for low, high in ((2.0, 7.0), (7.0, 2.0)):
        np.testing.assert_array_equal(
            gains("bandpass", down, across, {"low": low, "high": high, "order": 2}), halves
        )


@given(st.integers(1, 1000))
def test_frequencies_are_those_of_numpy(length):
    np.testing.assert_array_equal(frequencies(length), np.rint(np.fft.fftfreq(length, 1 / length)))


def test_gains_stay_finite_at_the_extremes():
    far = np.array([2**31 - 1])
    for cutoff in (0.1, 1e9):
        found = gains("lowpass", far, far, {"cutoff": cutoff, "order": 10})
        assert np.isfinite(found).all()


@given(st.integers(1, 10**7), st.integers(1, 10**6), st.integers(1, 500))
def test_a_round_is_a_portion_or_a_row(lines, slab_rows, ranks):
    height = round_height(lines, slab_rows, ranks)
    assert 1 <= height <= slab_rows
    assert height == 1 or height * lines * 16 <= EXCHANGE_BYTES


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_lines_are_transformed_in_whole_batches(length, lines):
    count = lines_at_once(length, lines)
    assert count % BATCH == 0
    assert count == BATCH or count * length * 16 <= EXCHANGE_BYTES


def test_a_lowpass_is_centred_and_keeps_the_mean():
    image = np.zeros((31, 45, 1), np.float32)
    image[15, 22] = 1000
    result = run("lowpass:cutoff=4", image)
    assert np.unravel_index(result[..., 0].argmax(), (31, 45)) == (15, 22)
    np.testing.assert_allclose(result, result[::-1, ::-1], atol=1e-3)
    np.testing.assert_allclose(result.mean(), image.mean(), rtol=1e-5)


def test_low_and_high_pass_add_up_to_the_picture():
    image = picture(1, 23, 19, 3, "float32")
    total = run("lowpass:cutoff=3", image) + run("highpass:cutoff=3", image)
    np.testing.assert_allclose(total, image, atol=1e-5)
