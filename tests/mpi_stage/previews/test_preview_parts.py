"""Which pixels a crop of a result is made of."""

import pytest

from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.previews.parts import CONTEXT_PX, ROW_PX, crop_of, cut, origin, trace

SPEC = ImageSpec(2000, 3000, 3, "uint8")
MIDDLE = Window(Rows(900, 1000), Rows(1280, 1380))


def traced(text, window=MIDDLE):
    return trace(cut(parse(text), SPEC), window)


def test_a_crop_is_read_with_the_halo_of_all_its_steps():
    assert traced("box:size=9 median:size=5").windows[0].rows == Rows(900 - 6, 1000 + 6)


def test_at_an_edge_of_the_image_there_is_nothing_more_to_read():
    corner = traced("box:size=9", Window(Rows(0, 50), Rows(0, 50)))
    assert corner.windows[0].rows == Rows(0, 54)
    assert corner.windows[0].columns.first == 0
    assert corner.exact


def test_columns_begin_where_library_calls_begin_and_end_beyond_what_is_needed():
    (before, _) = traced("box:size=9").windows
    assert before.columns.first % ROW_PX == 0
    assert before.columns.end >= 1380 + 4 + ROW_PX


def test_steps_that_move_pixels_are_traced_to_where_they_come_from():
    assert origin(cut(parse("crop:x=500,y=300"), SPEC), MIDDLE) == Window(Rows(1200, 1300), Rows(1780, 1880))
    assert origin(cut(parse("flip:axis=vertical"), SPEC), MIDDLE).rows == Rows(1000, 1100)


def test_a_padded_edge_comes_from_nowhere():
    (before, _) = traced("pad:left=500,border=constant", Window(Rows(0, 10), Rows(0, 10))).windows
    assert before.pixels > 0


@pytest.mark.parametrize(
    ("text", "names"),
    [("otsu", ("otsu",)), ("gaussian canny", ("canny",)), ("clahe otsu", ("clahe", "otsu"))],
)
def test_what_looks_at_the_whole_picture_is_named(text, names):
    found = traced(text)
    assert found.whole == names
    assert not found.exact
    assert found.windows[0].rows.first <= 900 - CONTEXT_PX


def test_a_crop_that_is_the_whole_picture_is_exact():
    assert traced("otsu", Window(Rows(0, 2000), Rows(0, 3000))).exact


def test_a_border_that_wraps_around_is_inexact_at_that_edge_alone():
    assert traced("box:size=9,border=wrap").exact
    at_edge = traced("box:size=9,border=wrap", Window(Rows(0, 50), Rows(1280, 1380)))
    assert at_edge.wraps == ("box",)


def test_a_crop_lies_inside_however_far_out_it_is_asked_for():
    assert crop_of(SPEC, 0.0, 1.0, 480, 360) == Window(Rows(1640, 2000), Rows(0, 480))
    assert crop_of(SPEC, 0.5, 0.5, 9000, 9000) == Window(Rows(0, 2000), Rows(0, 3000))
