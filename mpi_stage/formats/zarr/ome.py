"""The metadata of an OME-Zarr image: its levels, axes and pixel sizes.

After the *OME-NGFF specification, version 0.5*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mpi_stage.errors import DamagedInputError, MissingPageError, UnsupportedFormatError
from mpi_stage.formats.zarr.axes import check_ome_axes
from mpi_stage.formats.zarr.json_objects import Json

VERSION = "0.5"
MAX_LEVELS = 64
MICROMETERS_PER_CENTIMETER = 10_000.0
_CENTIMETERS_PER_UNIT = {
    "angstrom": 1e-8,
    "nanometer": 1e-7,
    "micrometer": 1e-4,
    "millimeter": 0.1,
    "centimeter": 1.0,
    "decimeter": 10.0,
    "meter": 100.0,
    "kilometer": 1e5,
    "inch": 2.54,
    "foot": 30.48,
    "yard": 91.44,
}
_CENTIMETERS_PER_RESOLUTION_UNIT = {"inch": 2.54, "centimeter": 1.0}


@dataclass(frozen=True)
class OmeImage:
    """One level of an image: the path of its array, its axes, and the scale along each where stated."""

    path: str
    names: list[str]
    units: list[str | None]
    scale: list[float] | None
    levels: int
    other: tuple[str, ...]


def parse_ome(document: Json, level: int, where: str) -> OmeImage:
    """Return a level of the image that a group's metadata describe, 0 being the largest.

    Raises UnsupportedFormatError where the group is no image, DamagedInputError, and MissingPageError
    for a level that there is not.
    """
    attributes = document.get("attributes")
    ome = attributes.get("ome") if isinstance(attributes, dict) else None
    if not isinstance(ome, dict) or "multiscales" not in ome:
        raise UnsupportedFormatError(f"{where} is a Zarr group and no OME-Zarr image{_hint(ome)}")
    version = ome.get("version")
    if not isinstance(version, str) or not version.startswith(VERSION):
        raise UnsupportedFormatError(f"{where} is of OME-Zarr {str(version)[:40]!r}; {VERSION} is read.")
    images = ome["multiscales"]
    if not isinstance(images, list) or not images or not isinstance(images[0], dict):
        raise DamagedInputError(f"{where} should list multiscales, and says {str(images)[:80]}.")
    image = images[0]
    datasets = image.get("datasets")
    if not isinstance(datasets, list) or not 1 <= len(datasets) <= MAX_LEVELS:
        raise DamagedInputError(f"{where} should have 1 to {MAX_LEVELS} levels: {str(datasets)[:80]}.")
    if not 0 <= level < len(datasets):
        raise MissingPageError(
            f"{where} has {len(datasets)} levels, counted from 0; level {level} was asked for."
        )
    names, units = check_ome_axes(image.get("axes"), where)
    dataset = datasets[level]
    if not isinstance(dataset, dict):
        raise DamagedInputError(f"{where} should describe its level {level}: {str(dataset)[:80]}.")
    other = [name for name in ("omero", "labels", "image-label") if name in ome]
    return OmeImage(
        path=_path(dataset.get("path"), where),
        names=names,
        units=units,
        scale=_scale(dataset, image, len(names)),
        levels=len(datasets),
        other=(*other, *(["further images"] if len(images) > 1 else [])),
    )


def resolution_of(image: OmeImage, y: int, x: int) -> tuple[float, float, str] | None:
    """Return pixels per centimeter across and down, where the axes have a scale and a unit of length."""
    if image.scale is None:
        return None
    lengths = [image.scale[axis] * _CENTIMETERS_PER_UNIT.get(image.units[axis] or "", 0.0) for axis in (x, y)]
    if not all(0 < length < float("inf") for length in lengths):
        return None
    return 1 / lengths[0], 1 / lengths[1], "centimeter"


def ome_document(
    names: Sequence[str],
    resolution: tuple[float, float, str] | None,
    steps: Sequence[tuple[float, float]],
) -> dict[str, Any]:
    """Return the metadata of the group of an image with axes ``names``.

    ``steps`` says for each level how many rows and columns of the largest one a pixel of it covers.
    """
    unit = _CENTIMETERS_PER_RESOLUTION_UNIT.get(resolution[2]) if resolution else None
    across = down = 1.0
    if resolution and unit:
        across, down = (unit * MICROMETERS_PER_CENTIMETER / value for value in resolution[:2])
    kinds = {"c": "channel", "y": "space", "x": "space"}
    space = {"unit": "micrometer"} if unit else {}
    axes = [{"name": name, "type": kinds[name], **(space if name in "yx" else {})} for name in names]
    datasets = []
    for level, (rows, columns) in enumerate(steps):
        sizes = {"c": 1.0, "y": down * rows, "x": across * columns}
        transformations: list[dict[str, Any]] = [{"type": "scale", "scale": [sizes[name] for name in names]}]
        if level:
            # The centre of a pixel of this level lies between those of the pixels that it covers.
            centres = {"c": 0.0, "y": down * (rows - 1) / 2, "x": across * (columns - 1) / 2}
            shift = {"type": "translation", "translation": [centres[name] for name in names]}
            transformations.append(shift)
        datasets.append({"path": str(level), "coordinateTransformations": transformations})
    image: dict[str, Any] = {"axes": axes, "datasets": datasets}
    if len(steps) > 1:
        image["type"] = "mean"
    return {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"ome": {"version": VERSION, "multiscales": [image]}},
    }


def _hint(ome: object) -> str:
    """Say where the images in a group are."""
    if isinstance(ome, dict) and "bioformats2raw.layout" in ome:
        return "; the images are the groups in it. Name one of them, such as its folder 0."
    if isinstance(ome, dict) and ("plate" in ome or "well" in ome):
        return ", but a plate; name the folder of one image in a well."
    return ". Name the folder of an array or of an image in it."


def _path(value: object, where: str) -> str:
    """Return the path of a level, which must lie in the group."""
    segments = value.split("/") if isinstance(value, str) else [""]
    bad = any(one in {"", ".", ".."} or not one.isprintable() or "\\" in one for one in segments)
    if bad or len(str(value)) > 1024:  # noqa: PLR2004 (longer than any path)
        raise DamagedInputError(f"{where} has a level at {str(value)[:80]!r}, which is no path in it.")
    return str(value)


def _scale(dataset: Json, image: Json, dimensions: int) -> list[float] | None:
    """Return the product of the scales of a level and of all levels; None where there is no whole one."""
    whole = [1.0] * dimensions
    stated = False
    for holder in (dataset, image):
        found = holder.get("coordinateTransformations")
        for one in found if isinstance(found, list) else []:
            scale = one.get("scale") if isinstance(one, dict) and one.get("type") == "scale" else None
            if not isinstance(scale, list) or len(scale) != dimensions:
                continue
            if all(isinstance(value, int | float) for value in scale):
                whole = [a * b for a, b in zip(whole, scale, strict=True)]
                stated = True
    return whole if stated else None
