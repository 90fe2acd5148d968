"""Options that several commands share: which image of a file is read, and how the output is written."""

from typing import Annotated

import typer

Page = Annotated[int, typer.Option(min=0, help="Which image of a file with several, from 0; see plan.")]
Plane = Annotated[
    str | None, typer.Option(metavar="z=N,c=N,t=N", help="Which plane of an OME-TIFF, instead of its page.")
]
Level = Annotated[int, typer.Option(min=0, help="Which level of a pyramid, 0 being the largest.")]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="cog, tiff, zarr, ome-zarr, png, jpeg, webp, avif or bmp, whatever the suffix says.",
    ),
]
Compression = Annotated[
    str | None,
    typer.Option(
        help="For TIFF: none, deflate[:LEVEL], lzw, zstd[:LEVEL], jpeg, lerc[:ERROR], lerc-deflate, "
        "lerc-zstd; for Zarr: none, zstd[:LEVEL], gzip[:LEVEL], blosc[:LEVEL]; the input's by default."
    ),
]
Quality = Annotated[int | None, typer.Option(min=1, max=100, help="Of lossy formats.")]
Digest = Annotated[bool, typer.Option(help="Whether to compute the sha256 of the pixels.")]
Tile = Annotated[int | None, typer.Option(min=16, metavar="PX", help="Edge of the output's tiles or chunks.")]
