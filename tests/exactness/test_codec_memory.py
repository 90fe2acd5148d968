"""What codecs need, with their threads and the levels of an output, is within the prediction."""

import numpy as np
import pytest
import tifffile

PIXELS = (1536, 4096, 3)


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """Images that no codec makes smaller, in compressed tiles."""
    folder = tmp_path_factory.mktemp("noise")
    pixels = np.random.default_rng(0).integers(0, 256, PIXELS, np.uint8)
    made = {}
    for name, compression in (("deflate", "zlib"), ("jpeg", "jpeg"), ("lzw", "lzw")):
        made[name] = folder / f"{name}.tif"
        options = {"photometric": "rgb", "tile": (256, 256), "metadata": None}
        tifffile.imwrite(made[name], pixels, compression=compression, **options)
    return made


@pytest.mark.parametrize(
    ("stored", "options"),
    [
        ("deflate", {}),
        ("jpeg", {}),
        ("deflate", {"compression": "lerc-zstd"}),
        ("lzw", {"compression": "lzw", "tile": 512}),
        ("deflate", {"format": "cog"}),
        ("deflate", {"format": "cog", "compression": "none"}),
        ("jpeg", {"format": "cog", "compression": "jpeg", "tile": 256}),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_the_prediction_covers_codecs_and_levels(worlds, noise, stored, options, alone):
    ranks, threads = (1, 3) if alone else (2, 1)
    options = {**options, "threads": threads}
    plan = worlds.plan(ranks, noise[stored], "gaussian:sigma=2", **options)
    report = worlds.run(ranks, noise[stored], "gaussian:sigma=2", digest=False, read=False, **options).report
    measured = max(rank.peak_anon_bytes for rank in report.ranks)
    assert measured <= plan["peak_bytes_per_rank"]
