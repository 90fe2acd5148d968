"""Changes of geometry straight from plain tiles, of which each rank reads what it needs."""

import numpy as np
import pytest
import tifffile
from operation_harness import picture

MOVES = {
    "crop:x=17,y=40,width=70,height=90": lambda image: image[40:130, 17:87],
    "pad:top=9,bottom=70,left=33,right=5,border=mirror": lambda image: np.pad(
        image, ((9, 70), (33, 5), (0, 0)), mode="reflect"
    ),
    "flip:axis=horizontal": lambda image: image[:, ::-1],
    "rotate90:turns=3": lambda image: np.rot90(image, 3),
    "flip:axis=vertical crop:x=3,y=100,width=50,height=60": lambda image: image[::-1][100:160, 3:53],
    "rotate90 flip:axis=vertical": lambda image: np.rot90(image)[::-1],
}


@pytest.mark.parametrize("pipeline", MOVES)
@pytest.mark.parametrize("block_rows", [None, 16])
def test_moves_from_tiles_are_numpy_s_for_any_number_of_ranks(worlds, pipeline, block_rows):
    image = picture(5, 180, 150, 3, "uint8")
    source = worlds.write(image, tile=(32, 32))
    for ranks in (1, 2, 5):
        done = worlds.run(ranks, source, pipeline, block_rows=block_rows)
        assert np.array_equal(tifffile.imread(done.path), MOVES[pipeline](image)), ranks


def test_a_quarter_turn_of_tiles_needs_neither_slab_nor_messages(worlds):
    source = worlds.write(picture(5, 3000, 2400, 3, "uint8"), tile=(32, 32))
    turned = worlds.plan(3, source, "rotate90", block_rows=16)["peak_bytes_per_rank"]
    smoothed = worlds.plan(3, source, "box:size=3 rotate90", block_rows=16)["peak_bytes_per_rank"]
    report = worlds.run(3, source, "rotate90", block_rows=16, digest=False).report
    assert [rank.sent_bytes for rank in report.ranks] == [0, 0, 0]
    assert max(rank.peak_anon_bytes for rank in report.ranks) <= turned
    assert smoothed - turned >= 2 * 3000 * 2400 * 3 / 3


FURTHER = (
    "flip equalize",
    "resize:scale=0.7 otsu",
    "rotate:degrees=20 grayscale threshold:value=128 label",
    "rotate90 grayscale label",
)


@pytest.mark.parametrize("pipeline", FURTHER)
def test_moved_pixels_can_be_measured_and_joined(worlds, pipeline):
    source = worlds.write(picture(5, 180, 150, 3, "uint8"), tile=(32, 32))
    assert len({worlds.run(ranks, source, pipeline).content for ranks in (1, 2, 5)}) == 1
