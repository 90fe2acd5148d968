"""Reduced copies, and pipelines made fit for them."""

import io

import numpy as np
import pytest
from PIL import Image

from mpi_stage.errors import LimitError
from mpi_stage.formats.memory import ArraySource
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.previews.display import picture_of, stretch_of, to_display
from mpi_stage.previews.reduced import fit_step, level_for, read_reduced, shrunk

FULL, SMALL = ImageSpec(4000, 6000, 3, "uint8"), ImageSpec(400, 600, 3, "uint8")


def ramp(rows, columns, dtype="uint8"):
    """Return a picture whose values rise from left to right."""
    line = np.linspace(0, 200, columns).astype(dtype)
    return np.repeat(np.repeat(line[np.newaxis, :, np.newaxis], rows, axis=0), 3, axis=2)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_copy_keeps_type_and_look(dtype):
    small = read_reduced(ArraySource(ramp(900, 1600, dtype)), 160)
    assert small.shape == (90, 160, 3)
    assert small.dtype == dtype
    assert np.allclose(small[45, :, 0].astype(float), np.linspace(0, 200, 160), atol=3)


def test_an_image_that_is_small_already_is_left_as_it_is():
    image = ramp(50, 60)
    assert np.array_equal(read_reduced(ArraySource(image), 640), image)


def test_labels_are_picked_and_never_averaged():
    labels = np.array([[[0], [9]], [[7], [3]]], np.uint32).repeat(50, axis=0).repeat(50, axis=1)
    assert set(np.unique(shrunk(labels, 10))) == {0, 3, 7, 9}


def test_the_smallest_level_that_is_large_enough_is_read():
    levels = [(8000, 6000), (4000, 3000), (1000, 750), (250, 188)]
    assert level_for(levels, 640) == 2
    assert level_for(levels[:1], 640) == 0
    assert level_for([(200, 100)], 640) == 0


def fitted(text):
    (step,) = parse(text)
    return {
        name: value for name, value in fit_step(step, FULL, SMALL, 640).params.items() if value is not None
    }


def test_a_rectangle_is_cut_from_a_copy_where_it_is_cut_from_the_image():
    assert fitted("crop:x=1000,y=500,width=2000,height=800") == {
        "x": 100,
        "y": 50,
        "width": 200,
        "height": 80,
    }
    assert fitted("crop:x=5999,width=1") == {"x": 599, "y": 0, "width": 1}


def test_a_copy_is_resized_to_the_proportions_of_the_result():
    after = fitted("resize:width=3000,height=4000")
    assert (after["width"], after["height"]) == (480, 640)


def test_filters_keep_their_sizes():
    (step,) = parse("gaussian:sigma=9")
    assert fit_step(step, FULL, SMALL, 640) is step


def test_too_much_to_decode_is_refused_with_both_numbers():
    class Endless(ArraySource):
        def __init__(self):
            super().__init__(np.zeros((1, 1, 3), np.uint8))
            spec = ImageSpec(100_000, 100_000, 3, "uint8")
            self.header = type(self.header)(**{**vars(self.header), "spec": spec, "divisible": False})

    with pytest.raises(LimitError, match=r"30 GB.*up to 4 GB"):
        read_reduced(Endless(), 640)


def test_deep_values_show_their_high_byte_and_floats_are_stretched():
    assert to_display(np.array([[[65535], [256]]], np.uint16)).tolist() == [[255, 1]]
    values = np.array([[[-1.0], [3.0]]], np.float32)
    assert to_display(values, stretch_of(values)).tolist() == [[0, 255]]
    assert stretch_of(np.array([[[0.0], [1.0]]], np.float32)) is None


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_any_number_of_channels_can_be_shown(channels):
    pixels = np.full((4, 5, channels), 7, np.uint8)
    kind, data = picture_of(pixels, exact=True)
    assert kind == "image/png"
    assert np.unique(np.asarray(Image.open(io.BytesIO(data)))).tolist() == [7]
    kind, data = picture_of(pixels, exact=False)
    assert kind == ("image/png" if channels == 4 else "image/jpeg")
    assert Image.open(io.BytesIO(data)).size == (5, 4)
