"""Pages of stacks, planes of OME-TIFFs and levels of pyramids, written by the software of the field."""

import itertools
import struct

import numpy as np
import pytest
import rasterio
import tifffile
from formats_support import picture, read
from rasterio.enums import Resampling
from rasterio.transform import Affine

from mpi_stage.errors import DamagedInputError, MissingPageError, ParameterError, UnsupportedFormatError
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.registry import list_pages, read_header
from mpi_stage.formats.tiff.ome_planes import parse_plane, read_ome

PLACE = Affine(10, 0, 500_000, 0, -10, 5_000_000)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "in.tif"


@pytest.mark.parametrize("bigtiff", [False, True])
def test_every_page_of_a_stack_is_read_by_its_number(path, bigtiff):
    pages = [picture(20 + n, 30, 1, "uint16", seed=n) for n in range(4)]
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as writer:
        for pixels in pages:
            writer.write(pixels[..., 0], compression="zlib", metadata=None)
    for number, pixels in enumerate(pages):
        assert np.array_equal(read(path, 7, SourceOptions(page=number)), pixels)
        assert read_header(str(path), SourceOptions(page=number)).page == number
    assert list_pages(str(path), 2) == ([[(30, 20)], [(30, 21)]], 4)
    with pytest.raises(MissingPageError, match="has no page 4: it has 4, counted from 0"):
        read_header(str(path), SourceOptions(page=4))


@pytest.mark.parametrize("axes", ["TCZYX", "CTZYX", "ZCTYX", "ZTCYX"])
def test_every_plane_of_an_ome_tiff_is_read_by_its_dimensions(tmp_path, axes):
    path = tmp_path / "in.ome.tif"
    sizes = {"T": 2, "C": 3, "Z": 4}
    stack = np.random.default_rng(0).integers(0, 65_536, [sizes[a] for a in axes[:3]] + [16, 24], np.uint16)
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": axes})
    for place in itertools.product(*(range(sizes[a]) for a in axes[:3])):
        asked = ",".join(f"{axis.lower()}={n}" for axis, n in zip(axes, place, strict=False))
        found = read(path, 100, SourceOptions(plane=asked))
        assert np.array_equal(found[..., 0], stack[place])
    with pytest.raises(MissingPageError, match="no plane z=4; there are planes with z below 4, c below 3"):
        read_header(str(path), SourceOptions(plane="z=4"))


def test_colours_of_an_ome_tiff_count_as_one_channel(tmp_path):
    path = tmp_path / "in.ome.tif"
    stack = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), np.uint8)
    tifffile.imwrite(path, stack, photometric="rgb", metadata={"axes": "ZYXS"})
    assert np.array_equal(read(path, 100, SourceOptions(plane="z=2")), stack[2])


def test_plane_of_a_file_without_ome_xml_is_refused_with_the_remedy(path):
    tifffile.imwrite(path, picture(8, 8, 1, "uint8")[..., 0], metadata=None)
    with pytest.raises(MissingPageError, match="Ask for a page by its number"):
        read_header(str(path), SourceOptions(plane="z=0"))


@pytest.mark.parametrize("text", ["z", "z=-1", "x=3", "z=1;c=2", "", "z=1.5"])
def test_plane_that_is_spelled_wrong_is_refused(text):
    with pytest.raises(ParameterError, match="asked for like z=3,c=1,t=0"):
        parse_plane(text)


HEAD = '<OME UUID="urn:1"><Image><Pixels DimensionOrder="XYZCT" SizeZ="2" SizeC="1" SizeT="1">'
TAIL = "</Pixels></Image></OME>"
ELSEWHERE = '<TiffData IFD="0" PlaneCount="1"/>'
ELSEWHERE += '<TiffData IFD="0" FirstZ="1"><UUID FileName="b">urn:2</UUID></TiffData>'


def test_plane_in_another_file_of_a_set_is_refused():
    planes = read_ome("a.tif", HEAD + ELSEWHERE + TAIL)
    assert planes.directory("a.tif", parse_plane("z=0")) == 0
    with pytest.raises(UnsupportedFormatError, match="another file of its set"):
        planes.directory("a.tif", parse_plane("z=1"))


def test_plane_that_no_directory_is_named_for_is_missing():
    planes = read_ome("a.tif", HEAD + '<TiffData IFD="5"/>' + TAIL)
    assert planes.directory("a.tif", parse_plane("z=0")) == 5
    with pytest.raises(MissingPageError, match="names no directory"):
        planes.directory("a.tif", parse_plane("z=1"))


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + HEAD + TAIL,
        HEAD,
        "<OME/>",
        HEAD.replace("XYZCT", "ZCTXY") + TAIL,
        HEAD.replace('SizeZ="2"', 'SizeZ="0"') + TAIL,
        HEAD.replace('SizeZ="2"', 'SizeZ="99999999999"') + TAIL,
        HEAD.replace('SizeZ="2"', "") + TAIL,
    ],
)
def test_ome_xml_that_is_damaged_or_declares_entities_is_refused(text):
    with pytest.raises(DamagedInputError, match="OME-XML that cannot be used"):
        read_ome("a.tif", text)


def halved(pixels):
    return np.ascontiguousarray(pixels[::2, ::2])


@pytest.mark.parametrize("page", [0, 1])
def test_levels_in_sub_directories_are_read(path, page):
    pyramids = [[picture(101, 90, 3, "uint8", seed)] for seed in range(2)]
    with tifffile.TiffWriter(path) as writer:
        for levels in pyramids:
            levels += [halved(levels[0]), halved(halved(levels[0]))]
            writer.write(levels[0], subifds=2, tile=(32, 32), photometric="rgb", metadata=None)
            for smaller in levels[1:]:
                writer.write(smaller, subfiletype=1, tile=(32, 32), photometric="rgb", metadata=None)
    for level, pixels in enumerate(pyramids[page]):
        assert np.array_equal(read(path, 50, SourceOptions(page=page, level=level)), pixels)
    assert list_pages(str(path), 10) == ([[(90, 101), (45, 51), (23, 26)]] * 2, 2)
    with pytest.raises(MissingPageError, match="no level 3 of page 1: it has 3"):
        read_header(str(path), SourceOptions(page=1, level=3))


@pytest.mark.parametrize("subifd", [False, True])
def test_levels_that_libvips_makes_are_read(path, subifd):
    vips = pytest.importorskip("pyvips", reason="pyvips is not installed")
    image = vips.Image.new_from_array(picture(300, 203, 3, "uint8"))
    image.tiffsave(str(path), tile=True, tile_width=64, tile_height=64, pyramid=True, subifd=subifd)
    (sizes,), count = list_pages(str(path), 10)
    assert count == 1
    assert len(sizes) > 2
    for level, size in enumerate(sizes):
        how = {"subifd": level - 1} if subifd else {"page": level}
        expected = vips.Image.new_from_file(str(path), **(how if level else {})).numpy()
        assert (expected.shape[1], expected.shape[0]) == size
        assert np.array_equal(read(path, 64, SourceOptions(level=level)), expected)


def test_overviews_of_gdal_are_levels_with_a_georeference_of_their_own(path):
    pixels = picture(200, 300, 1, "uint16")
    profile = {"count": 1, "height": 200, "width": 300, "dtype": "uint16", "crs": "EPSG:32632", "tiled": True}
    profile |= {"blockxsize": 64, "blockysize": 64, "compress": "deflate"}
    with rasterio.open(path, "w", **profile, transform=PLACE) as file:
        file.write(pixels[..., 0], 1)
        file.build_overviews([2, 4], Resampling.nearest)
    for level in (1, 2):
        with rasterio.open(path, overview_level=level - 1) as file:
            expected, transform = file.read(1), file.transform
        header = read_header(str(path), SourceOptions(level=level))
        assert np.array_equal(read(path, 64, SourceOptions(level=level))[..., 0], expected)
        assert header.metadata.geo.scale[:2] == (transform.a, -transform.e)
        assert header.metadata.geo.points[3:5] == (500_000, 5_000_000)
    assert list_pages(str(path), 10) == ([[(300, 200), (150, 100), (75, 50)]], 1)


def test_mask_of_a_page_is_neither_a_page_nor_a_level(path):
    kinds, sides = (0, 4, 1, 5, 0), (32, 32, 16, 16, 8)
    with tifffile.TiffWriter(path) as writer:
        for side in sides:
            writer.write(np.full((side, side), side, np.uint8), subfiletype=1, metadata=None)
    with tifffile.TiffFile(path) as file:
        places = [page.tags["NewSubfileType"].valueoffset for page in file.pages]
    data = bytearray(path.read_bytes())
    for place, kind in zip(places, kinds, strict=True):
        struct.pack_into("<I", data, place, kind)
    path.write_bytes(data)
    assert list_pages(str(path), 10) == ([[(32, 32), (16, 16)], [(8, 8)]], 2)
    assert read(path, 9, SourceOptions(page=1)).shape == (8, 8, 1)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_page_of_a_file_that_holds_one_image_is_refused(tmp_path, suffix):
    from formats_support import write  # noqa: PLC0415  (the one test that writes a raster)

    write(tmp_path / f"in.{suffix}", picture(8, 8, 3, "uint8"))
    for options in (SourceOptions(page=1), SourceOptions(level=1), SourceOptions(plane="z=0")):
        with pytest.raises(MissingPageError, match="holds one image"):
            read_header(str(tmp_path / f"in.{suffix}"), options)


def chain(path, pages):
    """Write ``pages`` 8 × 8 px pages; return where each directory's pointer to the next lies."""
    with tifffile.TiffWriter(path) as writer:
        for number in range(pages):
            writer.write(np.full((8, 8), number, np.uint8), metadata=None)
    data, places = path.read_bytes(), []
    (place,) = struct.unpack_from("<I", data, 4)
    while place:
        (entries,) = struct.unpack_from("<H", data, place)
        places.append(place + 2 + 12 * entries)
        (place,) = struct.unpack_from("<I", data, places[-1])
    return places


@pytest.mark.parametrize("target", ["itself", "the first", "beyond the end", "into the header"])
def test_chain_of_pages_that_is_damaged_is_an_error_once_it_is_followed(path, target):
    pointers = chain(path, 3)
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (second,) = struct.unpack_from("<I", data, pointers[0])
    places = {"itself": second, "the first": first, "beyond the end": len(data) + 10, "into the header": 2}
    struct.pack_into("<I", data, pointers[1], places[target])
    path.write_bytes(data)
    assert read(path, 8, SourceOptions(page=0)).max() == 0
    with pytest.raises(DamagedInputError, match="directory cannot be read"):
        read_header(str(path), SourceOptions(page=2))
    with pytest.raises(DamagedInputError, match="directory cannot be read"):
        list_pages(str(path), 4)


def with_sub_directory(path, place):
    """Write a page that says that a directory at byte ``place`` belongs to it."""
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), metadata=None, extratags=[(65_000, 4, 1, place, True)])
    with tifffile.TiffFile(path) as file:
        entry = file.pages.first.tags[65_000].offset
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, entry, 330)
    path.write_bytes(data)


@pytest.mark.parametrize("place", [2, 10**6])
def test_sub_directory_outside_the_file_is_damage_only_for_those_who_ask_for_it(path, place):
    with_sub_directory(path, place)
    assert read(path).max() == 0
    with pytest.raises(DamagedInputError, match="directory cannot be read"):
        read_header(str(path), SourceOptions(level=1))


def test_sub_directory_that_is_the_page_itself_is_no_level(path):
    with_sub_directory(path, 8)
    assert list_pages(str(path), 4) == ([[(8, 8)]], 1)
