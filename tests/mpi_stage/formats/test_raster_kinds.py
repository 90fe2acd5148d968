"""What other layers say of suffixes is what the formats say."""

from jobs.filter_folder import SUFFIXES
from mpi_stage.formats import sink_plans
from mpi_stage.formats.raster.kinds import KINDS, WRITTEN
from pipeline.decisions.load import PIXELS_PER_BYTE
from pipeline.local.run import READ_ONLY
from ui.images.pickers import IMAGE_TYPES

RASTER = {suffix for kind in KINDS.values() for suffix in kind.suffixes}


def test_formats_that_are_only_read_are_known_to_the_command():
    assert set(READ_ONLY) == {suffix for suffix in RASTER if suffix not in sink_plans.SUFFIXES}


def test_a_folder_s_images_are_those_whose_format_is_also_written():
    assert set(SUFFIXES) == {s for name in WRITTEN for s in KINDS[name].suffixes} | {".tif", ".tiff"}


def test_the_page_takes_the_files_that_a_folder_s_images_are():
    assert {f".{kind}" for kind in IMAGE_TYPES} == set(SUFFIXES)


def test_pixels_are_guessed_for_suffixes_of_formats_alone():
    assert set(PIXELS_PER_BYTE) <= RASTER | set(sink_plans.SUFFIXES)
