"""Which directory of an OME-TIFF holds a plane: the few elements of OME-XML that say so.

After *OME-TIFF specification* of the Open Microscopy Environment (schema 2016-06): ``Pixels`` states
how many planes there are in z, c and t and which of these runs fastest, ``TiffData`` from which
directory on they lie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from mpi_stage.errors import DamagedInputError, MissingPageError, ParameterError, UnsupportedFormatError

AXES = ("z", "c", "t")
_MOST_CHARACTERS = 32 << 20
_MOST_PLANES = 1 << 20
_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")


def parse_plane(text: str) -> dict[str, int]:
    """Read ``z=3,c=1,t=0``, of which some may be left out. Raises ParameterError."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name.strip().lower() not in AXES or not number.strip().isdecimal():
            raise ParameterError(f"a plane is asked for like z=3,c=1,t=0; {text!r} was asked for")
        found[name.strip().lower()] = int(number)
    return found


@dataclass
class _Data:
    """A TiffData element: its attributes, and whether its planes lie in another file."""

    attributes: Mapping[str, str]
    elsewhere: bool = False


@dataclass
class OmePlanes:
    """The planes of the first image of an OME-XML text."""

    sizes: dict[str, int]
    order: str
    data: list[_Data] = field(default_factory=list)

    def directory(self, path: str, wanted: Mapping[str, int]) -> int:
        """Return the number of the directory, from 0, that holds a plane; what is not stated is 0.

        Raises MissingPageError where there is no such plane, UnsupportedFormatError where it lies in
        another file.
        """
        for axis in wanted:
            if wanted[axis] >= self.sizes[axis]:
                shown = ", ".join(f"{name} below {self.sizes[name]}" for name in AXES)
                raise MissingPageError(
                    f"{path} has no plane {axis}={wanted[axis]}; there are planes with {shown}."
                )
        plane = self._number(wanted)
        for one in self.data or [_Data({})]:
            first, begin, count = self._covers(one.attributes)
            if not begin <= plane < begin + count:
                continue
            if one.elsewhere:
                raise UnsupportedFormatError(
                    f"{path} says that this plane lies in another file of its set. Read it from there."
                )
            return first + plane - begin
        raise MissingPageError(f"{path} names no directory for plane {dict(wanted)}.")

    def _number(self, place: Mapping[str, int]) -> int:
        """Return the place of a plane among all, in the order that the file states."""
        number, step = 0, 1
        for axis in self.order[2:].lower():
            number += place.get(axis, 0) * step
            step *= self.sizes[axis]
        return number

    def _covers(self, attributes: Mapping[str, str]) -> tuple[int, int, int]:
        """Return the first directory, the first plane and the number of planes of a TiffData element."""
        total = self.sizes["z"] * self.sizes["c"] * self.sizes["t"]
        begin = self._number({axis: int(attributes.get(f"First{axis.upper()}", 0)) for axis in AXES})
        usual = 1 if "IFD" in attributes else total
        return int(attributes.get("IFD", 0)), begin, int(attributes.get("PlaneCount", usual))


def read_ome(path: str, text: str) -> OmePlanes:
    """Read the first image of an OME-XML text; raises DamagedInputError where it cannot be understood."""
    reader = _Reader()
    try:
        reader.read(text)
        return reader.planes()
    except (expat.ExpatError, ValueError, KeyError) as error:
        raise DamagedInputError(
            f"{path} has a description in OME-XML that cannot be used ({error}). "
            "Ask for a page by its number."
        ) from error


class _Reader:
    """Collects the elements that matter, of the first image alone."""

    def __init__(self) -> None:
        self._images = 0
        self._uuid = ""
        self._pixels: Mapping[str, str] | None = None
        self._samples = 1
        self._data: list[_Data] = []
        self._text: list[str] | None = None

    def read(self, text: str) -> None:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError(f"{len(text)} characters are more than {_MOST_CHARACTERS}")
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(text.encode(), True)  # noqa: FBT003  (expat takes no keywords)

    def planes(self) -> OmePlanes:
        if self._pixels is None:
            raise ValueError("it has no Pixels")
        order = self._pixels["DimensionOrder"]
        sizes = {axis: int(self._pixels[f"Size{axis.upper()}"]) for axis in AXES}
        sizes["c"] = sizes["c"] // self._samples if self._samples > 0 else 0
        if order not in _ORDERS or min(sizes.values()) < 1 or max(sizes.values()) > _MOST_PLANES:
            raise ValueError(f"its planes are {sizes} in order {order}")
        return OmePlanes(sizes, order, self._data)

    def _refuse(self, *_: object) -> None:
        raise ValueError("it declares a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "OME":
            self._uuid = attributes.get("UUID", "")
        self._images += name == "Image"
        if self._images != 1:
            return
        if name == "Pixels" and self._pixels is None:
            self._pixels = attributes
        elif name == "Channel":
            self._samples = int(attributes.get("SamplesPerPixel", self._samples))
        elif name == "TiffData":
            self._data.append(_Data(attributes))
            if len(self._data) > _MOST_PLANES:
                raise ValueError(f"more than {_MOST_PLANES} elements TiffData")
        elif name == "UUID":
            self._text = []

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "UUID" and self._text is not None:
            if self._data and self._uuid and "".join(self._text).strip() != self._uuid:
                self._data[-1].elsewhere = True
            self._text = None
