"""Geometry without MPI: an image cut into tiles of any size, each made from its windows alone."""

import dataclasses

import numpy as np

from mpi_stage.geometry.partition import Partition
from mpi_stage.geometry.window import Grid
from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse


def moved(pipeline, image, *, tile=None, ranks=1):
    """Return ``image`` after the geometry steps, each rank's rows made by tiles of ``tile`` px."""
    for step in parse(pipeline):
        image = move(step, image, tile=tile, ranks=ranks)
    return image


def move(step, image, *, tile=None, ranks=1):
    """Return ``image`` after one geometry step."""
    before = ImageSpec(*image.shape, str(image.dtype))
    after = step.operation.output(before, step.params)
    remap = step.operation.remap(step.params, before, after)
    if tile is not None:
        remap = dataclasses.replace(remap, grid=Grid(*tile, after.columns, remap.grid.skewed))
    result = np.full((after.rows, after.columns, after.channels), 77, after.dtype)
    for rank in range(ranks):
        rows = Partition(after.rows, ranks).slab(rank)
        for number in range(remap.grid.count(rows)):
            _make(remap, remap.grid.tile(rows, number), image, result)
    return result


def holds(there, window):
    """Say whether a window is a part of another."""
    return all(a.first <= b.first and b.end <= a.end for a, b in zip(there, window, strict=True))


def _make(remap, tile, image, result):
    allowed = remap.windows(tile)

    def fetch(window, into=None):
        assert any(holds(one, window) for one in allowed)
        pixels = image[window.rows.first : window.rows.end, window.columns.first : window.columns.end]
        if into is None:
            return pixels
        into[...] = pixels
        return into

    remap.make(tile, fetch, result[tile.rows.first : tile.rows.end, tile.columns.first : tile.columns.end])


def whole(step, image):
    """Return what numpy makes of an image where it can, else what one tile does."""
    name, params = step.operation.name, step.params
    if name == "crop":
        rows = slice(params["y"], params["height"] and params["y"] + params["height"])
        return image[rows, params["x"] : params["width"] and params["x"] + params["width"]]
    if name == "flip":
        return np.flip(image, 1 if params["axis"] == "horizontal" else 0)
    if name == "rotate90":
        return np.rot90(image, params["turns"])
    if name == "pad":
        return _padded(image, params)
    after = step.operation.output(ImageSpec(*image.shape, str(image.dtype)), params)
    return move(step, image, tile=(after.rows, after.columns))


def _padded(image, params):
    around = ((params["top"], params["bottom"]), (params["left"], params["right"]), (0, 0))
    mode = {"mirror": "reflect", "reflect": "symmetric", "nearest": "edge"}.get(
        params["border"], params["border"]
    )
    if mode != "constant":
        return np.pad(image, around, mode=mode)
    fill = params["fill"]
    if image.dtype != np.float32:
        fill = min(max(round(fill), 0), np.iinfo(image.dtype).max)
    return np.pad(image, around, constant_values=fill)
