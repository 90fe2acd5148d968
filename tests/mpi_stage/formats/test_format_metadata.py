from dataclasses import replace

import numpy as np
import pytest
import tifffile
from formats_support import picture, read, write
from PIL import Image, ImageCms

from mpi_stage.formats.headers import Metadata
from mpi_stage.formats.memory import ArraySource
from mpi_stage.formats.metadata import orientation, orientation_exif, settle
from mpi_stage.formats.options import SinkOptions
from mpi_stage.formats.registry import read_header
from mpi_stage.formats.sink_plans import plan_sink
from mpi_stage.formats.sinks import create_sink
from mpi_stage.image import ImageSpec
from mpi_stage.process.timing import PhaseClock

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a camera"
    return exif.tobytes().removeprefix(b"Exif\0\0")


FULL = Metadata(PROFILE, (300.0, 150.0, "inch"), "A façade – in Köln", exif_block(), ("XMP",))


@pytest.mark.parametrize(
    ("suffix", "kept"),
    [
        ("tif", {"icc_profile", "resolution", "description", "orientation"}),
        ("png", {"icc_profile", "resolution", "description", "exif"}),
        ("jpg", {"icc_profile", "resolution", "description", "exif"}),
        ("webp", {"icc_profile", "exif"}),
        ("avif", {"icc_profile", "exif"}),
        ("bmp", {"resolution"}),
    ],
)
def test_what_the_plan_keeps_is_in_the_file_and_the_rest_has_a_reason(tmp_path, suffix, kept):
    path = tmp_path / f"out.{suffix}"
    sink = create_sink(
        str(path),
        path.name,
        ImageSpec(20, 30, 3, "uint8"),
        FULL,
        None,
        SinkOptions(),
        str(tmp_path),
        PhaseClock(),
    )
    assert set(sink.plan.kept) == kept
    named = {"icc_profile", "resolution", "description", "exif", "XMP", "orientation"}
    assert set(sink.plan.dropped) | kept == named - ({"orientation"} - kept)
    assert all(reason for reason in sink.plan.dropped.values())
    write(path, picture(20, 30, 3, "uint8"), metadata=FULL)
    found = read_header(str(path)).metadata
    if "icc_profile" in kept:
        assert found.icc_profile == PROFILE
    if "resolution" in kept:
        assert found.resolution is not None
        assert found.resolution[0] == pytest.approx(300, rel=1e-4)
        assert found.resolution[2] == "inch"
    if "description" in kept:
        assert found.description == FULL.description
    if "exif" in kept:
        assert found.exif == FULL.exif
    if kept & {"exif", "orientation"}:
        assert orientation(found.exif) == 6


def test_other_readers_find_the_metadata_of_a_tiff(tmp_path):
    write(tmp_path / "out.tif", picture(20, 30, 3, "uint8"), metadata=FULL)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        tags = file.pages.first.tags
        assert tags["InterColorProfile"].value == PROFILE
        assert tags["XResolution"].value == (300, 1)
        assert tags["ResolutionUnit"].value == 2
        assert tags["Software"].value == "halorow"
        assert tags["Orientation"].value == 6
    with Image.open(tmp_path / "out.tif") as image:
        assert image.info["icc_profile"] == PROFILE
        assert image.info["dpi"] == (300, 150)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif"])
def test_pillow_finds_the_metadata(tmp_path, suffix):
    write(tmp_path / f"out.{suffix}", picture(20, 30, 3, "uint8"), metadata=FULL)
    with Image.open(tmp_path / f"out.{suffix}") as image:
        image.load()
        assert image.info["icc_profile"] == PROFILE
        assert image.getexif()[0x010F] == "a camera"
        if suffix not in {"webp", "avif"}:
            assert [round(value) for value in image.info["dpi"]] == [300, 150]


def test_large_profile_is_cut_into_jpeg_segments_and_put_together_again(tmp_path):
    profile = PROFILE + bytes(np.random.default_rng(0).integers(0, 256, 150_000, np.uint8))
    write(tmp_path / "out.jpg", picture(20, 30, 3, "uint8"), metadata=Metadata(icc_profile=profile))
    assert read_header(str(tmp_path / "out.jpg")).metadata.icc_profile == profile
    assert read(tmp_path / "out.jpg").shape == (20, 30, 3)


def test_exif_too_large_for_a_jpeg_is_dropped():
    like = read_like(Metadata(exif=b"II*\0" + bytes(70_000)))
    plan = plan_sink("out.jpg", ImageSpec(20, 30, 3, "uint8"), like, SinkOptions())
    assert set(plan.dropped) == {"exif"}


def read_like(metadata: Metadata):
    """A header that carries the metadata."""
    return replace(ArraySource(picture(20, 30, 3, "uint8")).header, metadata=metadata)


def test_colour_profile_does_not_go_onto_a_gray_picture():
    settled = settle(FULL, ("icc_profile",), ImageSpec(20, 30, 1, "uint8"), "PNG")
    assert settled.metadata.icc_profile is None
    assert "RGB" in settled.dropped["icc_profile"]


@pytest.mark.parametrize("value", range(2, 9))
def test_orientation_of_a_tiff_survives_from_file_to_file(tmp_path, value):
    write(tmp_path / "in.tif", picture(20, 30, 3, "uint8"), metadata=Metadata(exif=orientation_exif(value)))
    header = read_header(str(tmp_path / "in.tif"))
    assert orientation(header.metadata.exif) == value
    plan = plan_sink("out.tif", header.spec, header, SinkOptions())
    assert plan.kept == ("orientation",)
    assert plan.dropped == {}


def test_machine_made_descriptions_do_not_go_onto_another_picture(tmp_path):
    tifffile.imwrite(tmp_path / "shaped.tif", picture(20, 30, 3, "uint8"))
    found = read_header(str(tmp_path / "shaped.tif")).metadata
    assert (found.description, found.other) == (None, ())
    tifffile.imwrite(tmp_path / "in.ome.tif", picture(20, 30, 3, "uint8"), ome=True, photometric="rgb")
    found = read_header(str(tmp_path / "in.ome.tif")).metadata
    assert found.description is None
    assert "OME or ImageJ description" in found.other


def test_further_pages_are_reported(tmp_path):
    stack = np.stack([picture(20, 30, 1, "uint8")[..., 0]] * 3)
    tifffile.imwrite(tmp_path / "in.tif", stack, photometric="minisblack", metadata=None)
    assert "further pages" in read_header(str(tmp_path / "in.tif")).metadata.other
    tifffile.imwrite(tmp_path / "one.tif", stack[0], photometric="minisblack", metadata=None)
    assert read_header(str(tmp_path / "one.tif")).metadata.other == ()


def test_broken_exif_counts_as_upright():
    for block in (b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x05", b"junk" * 10):
        assert orientation(block) == 1
