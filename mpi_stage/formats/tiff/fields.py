"""The fields of a TIFF directory that tell how pixels lie, with the defaults that TIFF 6.0 gives them.

They are called as in the specification, in lower case.
"""

from contextlib import suppress
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.directory import Directory, Entry, Value

_NO_ROWS_PER_STRIP = 2**32 - 1
_BITS_PER_BYTE = 8


class Fields:
    """What one directory says of its image.

    Every property raises ValueError or TypeError where its entry is damaged; a damaged text counts as
    absent.
    """

    def __init__(self, directory: Directory) -> None:
        """Read the fields that every reader asks for."""
        self.directory = directory
        self.imagewidth = self._number(codes.IMAGE_WIDTH, 0)
        self.imagelength = self._number(codes.IMAGE_LENGTH, 0)
        self.samplesperpixel = self._number(codes.SAMPLES, 1)
        self.compression = self._number(codes.COMPRESSION, codes.UNCOMPRESSED)
        self.photometric = self._number(codes.PHOTOMETRIC, 0)
        self.planarconfig = self._number(codes.PLANAR, codes.TOGETHER)
        self.predictor = self._number(codes.PREDICTOR, codes.NO_PREDICTOR)
        self.fillorder = self._number(codes.FILL_ORDER, 1)
        self.tilewidth = self._number(codes.TILE_WIDTH, 0)
        self.tilelength = self._number(codes.TILE_LENGTH, 0)
        self.bitspersample = self._per_sample(codes.BITS)
        self.sampleformat = self._per_sample(codes.SAMPLE_FORMAT)

    @property
    def is_tiled(self) -> bool:
        """Whether the pixels lie in tiles."""
        return self.tilewidth > 0

    @property
    def imagedepth(self) -> int:
        """Layers of a volume; Philips' scanners state another number than there are."""
        return 1 if self._philips else self._number(codes.IMAGE_DEPTH, 1)

    @property
    def tiledepth(self) -> int:
        """Layers of a tile of a volume."""
        return 1 if self._philips else self._number(codes.TILE_DEPTH, 1)

    @property
    def rowsperstrip(self) -> int:
        """Rows of a strip."""
        entry = self.directory.entries.get(codes.ROWS_PER_STRIP)
        if entry is None or entry.number > 1:
            return self.imagelength
        return min(self._number(codes.ROWS_PER_STRIP, _NO_ROWS_PER_STRIP), self.imagelength)

    @property
    def extrasamples(self) -> tuple[int, ...]:
        """What the channels after the colours mean."""
        found = self.directory.value(codes.EXTRA_SAMPLES)
        return () if found is None else tuple(map(int, _numbers(codes.EXTRA_SAMPLES, found)))

    @property
    def jpegtables(self) -> bytes | None:
        """The tables that all JPEG segments share."""
        found = self.directory.value(codes.JPEG_TABLES)
        return found if isinstance(found, bytes) else None

    @property
    def colormap(self) -> NDArray[np.int64]:
        """The palette: three rows of 16-bit values; of another shape where it is damaged."""
        found = self.directory.table(codes.COLOUR_MAP)
        return found.reshape(3, -1) if found.size % 3 == 0 else found

    @property
    def dataoffsets(self) -> NDArray[np.int64]:
        """The bytes at which the strips or tiles begin."""
        code = codes.TILE_OFFSETS if codes.TILE_OFFSETS in self.directory else codes.STRIP_OFFSETS
        return self.directory.table(code)[: self._most_segments]

    @property
    def databytecounts(self) -> NDArray[np.int64]:
        """The bytes of the strips or tiles; of uncompressed pixels in one piece where none are stated."""
        code = codes.TILE_COUNTS if codes.TILE_COUNTS in self.directory else codes.STRIP_COUNTS
        found = self.directory.table(code)
        if not found.size and self.compression == codes.UNCOMPRESSED and isinstance(self.bitspersample, int):
            values = self.imagelength * self.imagewidth * self.samplesperpixel
            found = np.array([values * (self.bitspersample // _BITS_PER_BYTE)], np.int64)
        return found[: self._most_segments]

    @cached_property
    def description(self) -> str:
        """The first description, empty where there is none."""
        return self._text(self.directory.entries.get(codes.DESCRIPTION))

    @property
    def is_shaped(self) -> bool:
        """Whether a description tells a program how the arrays in the file are shaped."""
        return any(
            text.startswith("shape=") or (text.startswith("{") and '"shape":' in text)
            for text in self._descriptions
            if '"mibi.' not in text
        )

    @property
    def is_imagej(self) -> bool:
        """Whether ImageJ has described the file."""
        return any(text.startswith(("ImageJ=", "SCIFIO=")) for text in self._descriptions)

    @property
    def is_ome(self) -> bool:
        """Whether the description is OME-XML."""
        return self.description.endswith("OME>")

    @property
    def _descriptions(self) -> tuple[str, ...]:
        return self.description, self._text(self.directory.second.get(codes.DESCRIPTION))

    @cached_property
    def _philips(self) -> bool:
        return self._text(self.directory.entries.get(codes.SOFTWARE)).startswith("Philips DP")

    @property
    def _most_segments(self) -> int | None:
        """How many strips there can be: some writers list more. None for tiles."""
        if self.is_tiled or not self.rowsperstrip:
            return None
        strips = -(-self.imagelength // self.rowsperstrip) * self.imagedepth
        return strips * (self.samplesperpixel if self.planarconfig == codes.SEPARATE else 1)

    def _text(self, entry: Entry | None) -> str:
        if entry is None:
            return ""
        with suppress(ValueError):
            found = self.directory.read(entry)
            return found if isinstance(found, str) else ""
        return ""

    def _number(self, code: int, default: int) -> int:
        found = self.directory.value(code)
        if found is None:
            return default
        if not isinstance(found, int):
            raise TypeError(f"entry {code} should be one integer and is {found!r:.60}")
        return found

    def _per_sample(self, code: int) -> int | tuple[int, ...]:
        """Return what is the same for all channels as one number, else all numbers."""
        found = self.directory.value(code)
        if found is None:
            return 1
        numbers = tuple(map(int, _numbers(code, found)))[: self.samplesperpixel]
        if not numbers:
            raise ValueError(f"entry {code} is empty")
        return numbers[0] if len(set(numbers)) == 1 else numbers


def _numbers(code: int, value: Value) -> tuple[int | float, ...]:
    """Return one number or several as a tuple; raises TypeError for what is none."""
    if isinstance(value, bytes):
        return tuple(value)
    if isinstance(value, str):
        raise TypeError(f"entry {code} should be a number and is {value!r:.60}")
    return value if isinstance(value, tuple) else (value,)
