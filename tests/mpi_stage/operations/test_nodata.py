"""Pixels without data: a nodata centre stays so, nodata neighbours do not count."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_harness import DTYPES, pad, picture

from mpi_stage.formats.nodata import nodata_value
from mpi_stage.operations.declaring.declaration import Border
from mpi_stage.operations.gaussian import kernel_size
from mpi_stage.operations.spelling.grammar import parse

NODATA = {"uint8": 0.0, "uint16": 65535.0, "float32": float("nan")}


def holed(seed, rows, columns, channels, dtype):
    """Return a picture of which every third value is missing."""
    image = picture(seed, rows, columns, channels, dtype)
    missing = np.random.default_rng(seed).random(image.shape) < 0.3
    image[missing] = NODATA[dtype]
    return image


def is_missing(image, dtype):
    return np.isnan(image) if dtype == "float32" else image == NODATA[dtype]


def filtered(step, image, block_rows=None):
    """Return ``image`` after a masked step, in blocks."""
    dtype = str(image.dtype)
    halo = step.operation.halo(step.params, None) if step.operation.name == "box" else None
    halo = kernel_size(step.params, dtype) // 2 if halo is None else halo
    padded = pad(image, halo, step.params["border"], step.params["fill"])
    height = block_rows or len(image)
    parts = [
        step.operation.masked(
            np.ascontiguousarray(padded[first : min(first + height, len(image)) + 2 * halo]),
            step.params,
            NODATA[dtype],
        )
        for first in range(0, len(image), height)
    ]
    return np.concatenate(parts)


def slow(step, image):
    """Return the weighted mean of the valid neighbours of every valid pixel, one by one."""
    dtype = str(image.dtype)
    if step.operation.name == "box":
        weights = np.ones(step.params["size"])
    else:
        size = kernel_size(step.params, dtype)
        weights = cv2.getGaussianKernel(size, step.params["sigma"] or 0, cv2.CV_64F)[:, 0]
    window, halo = np.outer(weights, weights)[:, :, np.newaxis], len(weights) // 2
    padded = pad(image, halo, step.params["border"], step.params["fill"])
    valid = ~is_missing(padded, dtype)
    values = np.where(valid, padded, 0).astype(np.float64)
    result = image.copy()
    for row, column in np.ndindex(*image.shape[:2]):
        near = np.s_[row : row + len(weights), column : column + len(weights)]
        total = (window * valid[near]).sum(axis=(0, 1))
        with np.errstate(invalid="ignore"):
            mean = (window * values[near]).sum(axis=(0, 1)) / total
        there = valid[row + halo, column + halo]
        found = mean if dtype == "float32" else np.rint(np.nan_to_num(mean))
        result[row, column, there] = found[there]
    return result


steps = st.sampled_from(["box:size=3", "box:size=7", "gaussian:sigma=1.2", "gaussian:size=5"]).flatmap(
    lambda text: st.sampled_from(list(Border)).map(lambda border: parse(f"{text},border={border}")[0])
)
images = st.builds(
    holed,
    seed=st.integers(0, 2**16),
    rows=st.integers(1, 9),
    columns=st.integers(1, 12),
    channels=st.sampled_from([1, 3, 13]),
    dtype=st.sampled_from(DTYPES),
)


@settings(max_examples=60)
@given(image=images, step=steps)
def test_valid_pixels_get_the_mean_of_their_valid_neighbours(image, step):
    dtype = str(image.dtype)
    found, expected = filtered(step, image), slow(step, image)
    missing = is_missing(image, dtype)
    assert (is_missing(found, dtype) | ~missing).all()
    difference = np.abs(found.astype(float) - expected)[~missing]
    assert difference.max(initial=0) <= (4e-6 if dtype == "float32" else 0)


@settings(max_examples=60)
@given(image=images, step=steps, block_rows=st.integers(1, 7))
def test_bytes_do_not_depend_on_the_block(image, step, block_rows):
    assert filtered(step, image, block_rows).tobytes() == filtered(step, image).tobytes()


@pytest.mark.parametrize(
    ("text", "dtype", "value"),
    [
        ("0", "uint8", 0.0),
        ("-9999", "uint8", None),
        ("255.5", "uint8", None),
        (" 65535 ", "uint16", 65535.0),
        ("-3.4028234663852886e+38", "float32", float(np.float32(-3.4028234663852886e38))),
        ("none", "float32", None),
        (None, "uint8", None),
        ("inf", "uint8", None),
    ],
)
def test_text_is_a_value_only_where_pixels_can_have_it(text, dtype, value):
    assert nodata_value(text, dtype) == value


def test_nan_may_mean_no_data():
    assert np.isnan(nodata_value("nan", "float32"))
    assert nodata_value("nan", "uint16") is None
