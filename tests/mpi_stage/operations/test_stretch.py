"""``stretch``, ``normalize`` and ``white_balance`` against numpy on the whole picture."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from operation_harness import DTYPES, picture, pictures, run, spec_of

from mpi_stage.errors import ParameterError
from mpi_stage.operations.arithmetic import exact_sums
from mpi_stage.operations.spelling.grammar import parse

WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


def measured(pipeline, image, block_rows):
    """Return what the report of a job would say of the only step."""
    (step,) = parse(pipeline)
    reduction, spec, found = step.operation.reduction, spec_of(image), None
    for one in reduction.rounds(spec, step.params):
        state = one.start(spec, step.params, found)
        for first in range(0, len(image), block_rows):
            one.update(state, image[first : first + block_rows], first, step.params, found)
        found = one.finish(state, spec, step.params, found)
    return reduction.tell(found, step.params)


def spread(image, low, high):
    """Return values from ``low`` to ``high`` as 0 to white."""
    white = WHITE[str(image.dtype)]
    if low == high:
        return image
    values = np.clip((image.astype(float) - low) * white / (high - low), 0, white)
    return values if white == 1 else np.rint(values)


@given(image=pictures, low=st.floats(0, 49), high=st.floats(50, 100), height=st.integers(1, 5))
def test_the_percentiles_are_exactly_numpys(image, low, high, height):
    found = measured(f"stretch:low={low},high={high}", image, height)
    reference = np.percentile(image.astype(float), [low, high])
    assert [found["low"], found["high"]] == reference.tolist()


@given(image=pictures, low=st.sampled_from([0, 1, 2, 10]), high=st.sampled_from([60, 98, 100]))
def test_stretch_spreads_what_lies_between_the_percentiles(image, low, high):
    reference = spread(image, *np.percentile(image.astype(float), [low, high]))
    result = run(f"stretch:low={low},high={high}", image, 3)
    np.testing.assert_allclose(result, reference, rtol=0, atol=1e-6 if image.dtype == np.float32 else 0)


@given(image=pictures)
def test_normalize_spreads_all_there_is(image):
    result = run("normalize", image, 3)
    reference = spread(image, float(image.min()), float(image.max()))
    np.testing.assert_allclose(result, reference, rtol=0, atol=1e-6 if image.dtype == np.float32 else 0)


@pytest.mark.parametrize("step", ["stretch", "normalize"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_picture_of_one_value_stays(step, dtype):
    image = np.full((5, 7, 3), 42, dtype)
    np.testing.assert_array_equal(run(step, image), image)


@pytest.mark.parametrize("step", ["stretch", "normalize"])
def test_what_is_not_finite_is_not_measured(step):
    image = picture(3, 20, 20, 3, "float32")
    image[0, 0, 0], image[1, 1, 1], image[2, 2, 2] = np.nan, np.inf, -np.inf
    result = run(step, image, 4)
    assert np.argwhere(np.isnan(result)).tolist() == [[0, 0, 0]]
    assert result[1, 1, 1] == 1
    assert result[2, 2, 2] == 0
    known = np.isfinite(image)
    low, high = (2, 98) if step == "stretch" else (0, 100)
    reference = spread(image, *np.percentile(image[known].astype(float), [low, high]))
    np.testing.assert_allclose(result[known], reference[known], atol=1e-6)


@pytest.mark.parametrize(
    "step", ["stretch", "normalize", "white_balance", "white_balance:method=white_patch"]
)
def test_a_picture_of_nothing_but_nan_works(step):
    assert np.isnan(run(step, np.full((4, 4, 3), np.nan, np.float32))).all()


@pytest.mark.parametrize(("low", "high"), [(10, 10), (90, 10)])
def test_percentiles_the_wrong_way_round_are_refused(low, high):
    (step,) = parse(f"stretch:low={low},high={high}")
    with pytest.raises(ParameterError, match="low below high"):
        step.operation.check(step.params, spec_of(picture(1, 2, 2, 1, "uint8")))


def test_percentiles_of_floats_of_very_different_size_are_exact():
    rng = np.random.default_rng(2)
    image = (rng.standard_normal((30, 31, 1)) * 10.0 ** rng.integers(-40, 38, (30, 31, 1))).astype(np.float32)
    for low, high in ((0, 100), (12.5, 50.1), (49.99, 50.01)):
        found = measured(f"stretch:low={low},high={high}", image, 7)
        reference = np.percentile(image.astype(float), [low, high])
        assert [found["low"], found["high"]] == reference.tolist()


def gains_of(image, method):
    """Return the gains, from sums without rounding."""
    if method == "white_patch":
        found = [Fraction(float(image[:, :, channel].max())) for channel in range(3)]
        wanted = Fraction(WHITE[str(image.dtype)])
    else:
        found = [
            sum(Fraction(float(v)) for v in image[:, :, channel].ravel()) / image[:, :, channel].size
            for channel in range(3)
        ]
        wanted = sum(found) / 3
    return [float(wanted / one) if one > 0 and wanted > 0 else 1.0 for one in found]


@given(
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(DTYPES),
    method=st.sampled_from(["gray_world", "white_patch"]),
    height=st.integers(1, 9),
)
def test_white_balance_multiplies_channels_by_exact_gains(seed, dtype, method, height):
    image = picture(seed, 13, 17, 3, dtype)
    image[:, :, 2] //= 2
    gains = gains_of(image, method)
    assert measured(f"white_balance:method={method}", image, height)["gains"] == gains
    result = run(f"white_balance:method={method}", image, height)
    if dtype == "float32":
        np.testing.assert_allclose(result, image * np.array(gains), rtol=1e-6)
    else:
        reference = np.rint(np.minimum(image * np.array(gains), WHITE[dtype]))
        np.testing.assert_array_equal(result, reference)


def test_gray_world_takes_a_cast_away():
    gray = picture(4, 50, 50, 1, "uint16") // 2
    image = np.concatenate([gray // 2, gray, gray // 3], axis=2)
    means = run("white_balance", image).mean(axis=(0, 1))
    assert np.ptp(means) < 2


def test_a_black_channel_stays_black():
    image = picture(4, 10, 10, 3, "uint8")
    image[:, :, 1] = 0
    for method in ("gray_world", "white_patch"):
        assert (run(f"white_balance:method={method}", image)[:, :, 1] == 0).all()


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=50))
def test_sums_of_floats_are_exact_in_any_order(values):
    states = []
    for order in (values, values[::-1]):
        state = np.zeros(exact_sums.WIDTH, np.int64)
        for part in (order[:7], order[7:]):
            exact_sums.add(state, np.array(part, np.float32))
        states.append(state)
    assert (states[0] == states[1]).all()
    exact = sum(Fraction(value) for value in values)
    assert exact_sums.total(states[0], "float32") == exact
    assert math.isclose(float(exact_sums.mean(states[0], "float32")), float(exact / len(values)))
