"""Finding one image in a TIFF file: a page of its stack, a level of that page's pyramid.

Pages are the directories of the file's chain that hold pictures of their own. Directories marked as
reduced (NewSubfileType, bit 0), as GDAL writes overviews, are levels of the page before them; the
sub-directories of a page (SubIFDs), as OME-TIFF and libvips have them, are its levels too. Masks
(bit 2) are neither.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice

from mpi_stage.errors import DamagedInputError, MissingPageError
from mpi_stage.formats.byte_source import ByteSource
from mpi_stage.formats.options import SourceOptions
from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.directory import Directory, Link, TiffFile
from mpi_stage.formats.tiff.fields import Fields
from mpi_stage.formats.tiff.ome_planes import parse_plane, read_ome

_MOST_LEVELS = 64
_PARSE_ERRORS = (
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ZeroDivisionError,
    OverflowError,
    OSError,
)


@dataclass(frozen=True)
class Found:
    """One image of a file.

    Attributes
    ----------
    page: the number of its page, from 0.
    level: the number of its level, 0 for the page itself.
    main: the page's fields, which have the metadata of all its levels.
    fields: the fields of the image itself.
    others: what else the file has, for people: further pages, smaller levels.

    """

    page: int
    level: int
    main: Fields
    fields: Fields
    others: tuple[str, ...]


@contextmanager
def unreadable_directories(path: str) -> Iterator[None]:
    """Turn what reading directories raises into DamagedInputError."""
    try:
        yield
    except _PARSE_ERRORS as error:
        said = str(error) or type(error).__name__
        raise DamagedInputError(
            f"{path} begins like a TIFF, but its directory cannot be read ({said}). "
            "The file is damaged or cut short; get a fresh copy."
        ) from error


def find_image(file: TiffFile, path: str, options: SourceOptions) -> Found:
    """Return the image that ``options`` ask for. Raises MissingPageError, ValueError for a damaged chain."""
    number, links = _page_asked_for(file, path, options)
    main = Directory(file, links[0].place)
    fields = Fields(main)
    others = ["further pages"] if number or links[-1].following else []
    if len(links) > 1:
        others.append("smaller levels")
    if not options.level:
        return Found(number, 0, fields, fields, tuple(others))
    levels = [main, *_levels(file, main, links)]
    if options.level >= len(levels):
        raise MissingPageError(
            f"{path} has no level {options.level} of page {number}: it has {len(levels)}, "
            "counted from 0, the largest. See `halorow plan`."
        )
    return Found(number, options.level, fields, Fields(levels[options.level]), tuple(others))


def _page_asked_for(file: TiffFile, path: str, options: SourceOptions) -> tuple[int, list[Link]]:
    """Return the number of a page, and the links of its directory and the reduced ones behind it."""
    if options.plane is not None:
        place = _place_of_plane(file, path, options.plane)
        found = (page for page in enumerate(_pages(file)) if page[1][0].place == place)
        number, links = next(found, (0, []))
        if not links:
            raise MissingPageError(f"{path}: plane {options.plane} is said to lie in what is no page.")
        return number, links
    if not options.page and not options.level:
        # What comes behind the first page may be damaged: nobody asked for it.
        with suppress(ValueError, StopIteration):
            return 0, next(_pages(file))
        first = file.first
        return 0, [Link(first.place, 0, first.following)]
    links = next(islice(_pages(file), options.page, None), [])
    if not links:
        count = sum(1 for _ in _pages(file))
        raise MissingPageError(
            f"{path} has no page {options.page}: it has {count}, counted from 0. See `halorow plan`."
        )
    return options.page, links


def list_pages(data: ByteSource, most: int) -> tuple[list[list[tuple[int, int]]], int]:
    """Return the columns and rows of each level of the first ``most`` pages, and how many pages there are.

    Raises DamagedInputError.
    """
    shown: list[list[tuple[int, int]]] = []
    count = 0
    with unreadable_directories(data.name):
        file = TiffFile(data)
        for links in _pages(file):
            count += 1
            if len(shown) < most:
                main = Directory(file, links[0].place)
                levels = map(Fields, (main, *_levels(file, main, links)))
                shown.append([(one.imagewidth, one.imagelength) for one in levels])
    return shown, count


def _pages(file: TiffFile) -> Iterator[list[Link]]:
    """Yield each page's link, with those of the reduced images that follow it in the chain."""
    open_page: list[Link] = []
    for link in file.links():
        kind = link.subfile_type
        if open_page and kind & (codes.REDUCED | codes.MASK):
            if len(open_page) <= _MOST_LEVELS and not kind & codes.MASK:
                open_page.append(link)
            continue
        if open_page:
            yield open_page
        open_page = [link]
    if open_page:
        yield open_page


def _levels(file: TiffFile, main: Directory, links: list[Link]) -> list[Directory]:
    """Return the directories of a page's smaller levels, largest first."""
    if codes.SUB_DIRECTORIES in main:
        places = main.table(codes.SUB_DIRECTORIES)[:_MOST_LEVELS].tolist()
    else:
        places = [link.place for link in links[1:]]
    found = [Directory(file, place) for place in dict.fromkeys(places)]
    smaller = [one for one in found if _is_level(one) and _fits_in(_size(one), _size(main))]
    return sorted(smaller, key=_size, reverse=True)


def _is_level(directory: Directory) -> bool:
    """Whether a directory is no mask; other software leaves the type of levels out."""
    kind = directory.value(codes.SUBFILE_TYPE)
    return not isinstance(kind, int) or not kind & codes.MASK


def _fits_in(size: tuple[int, int], whole: tuple[int, int]) -> bool:
    """Whether a size is smaller than another, in one direction at least."""
    return size != whole and size[0] <= whole[0] and size[1] <= whole[1]


def _size(directory: Directory) -> tuple[int, int]:
    fields = Fields(directory)
    return fields.imagewidth, fields.imagelength


def _place_of_plane(file: TiffFile, path: str, plane: str) -> int:
    """Return the byte at which the directory of an OME plane begins."""
    wanted = parse_plane(plane)
    fields = Fields(file.first)
    if not fields.is_ome:
        raise MissingPageError(
            f"{path} does not say how its planes are ordered (it has no OME-XML). "
            "Ask for a page by its number."
        )
    number = read_ome(path, fields.description).directory(path, wanted)
    link = next(islice(file.links(), number, None), None)
    if link is None:
        raise MissingPageError(f"{path} ends before directory {number}, where plane {plane} should lie.")
    return link.place
