"""Hostile TIFF files."""

import struct

import imagecodecs
import numpy as np
from raw_tiff import ASCII, END, LONG, LONG8, SHORT, UNDEFINED, Tag, image_tags, tiff
from streams import deflated_zeros, lzw_zeros, zstd_zeros
from trap import Trap, holding

_FIRST = 16  # where raw_tiff.tiff puts the data
_LAUGHS = (
    '<!DOCTYPE O [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><OME>&a11;</OME>"
)


def stripped(columns, rows, method, data, **more):
    tags = image_tags(columns, rows, tag_259=Tag(SHORT, [method]), **more)
    return tiff([tags | {273: Tag(LONG, [_FIRST]), 279: Tag(LONG, [len(data)])}], data)


def tiled(side, tile, method, data, **more):
    """Return a square image whose tiles are all the same bytes of the file."""
    tiles = (-(-side // tile)) ** 2
    tags = image_tags(side, side, tag_259=Tag(SHORT, [method]), **more)
    del tags[278]
    tags |= {322: Tag(LONG, [tile]), 323: Tag(LONG, [tile])}
    tags |= {324: Tag(LONG, [_FIRST] * tiles), 325: Tag(LONG, [len(data)] * tiles)}
    return tiff([tags], data)


def plain(columns=8, rows=8, **more):
    return image_tags(columns, rows, **more) | {273: Tag(LONG, [_FIRST]), 279: Tag(LONG, [columns * rows])}


def one(**more):
    return tiff([plain(**more)], bytes(64))


def lying(columns, rows, **more):
    """Return an image of 64 stored bytes that says another size."""
    tags = image_tags(columns, rows, **more) | {273: Tag(LONG, [_FIRST]), 279: Tag(LONG, [64])}
    return tiff([tags], bytes(64))


def chain(count, links):
    return tiff([plain() for _ in range(count)], bytes(64), links=links)


def many_directories():
    """A chain of sixty thousand directories of one entry each, behind a sound one."""
    sound = bytearray(chain(1, []))
    number, entry = 60_000, struct.pack("<HHIIxx", 254, 4, 1, 0)[:-2]
    link_at = len(sound) - 4
    size = 2 + 12 + 4
    start = len(sound)
    struct.pack_into("<I", sound, link_at, start)
    places = range(start + size, start + size * (number + 1), size)
    body = b"".join(struct.pack("<H", 1) + entry + struct.pack("<I", place) for place in places[:-1])
    return bytes(sound) + body + struct.pack("<H", 1) + entry + struct.pack("<I", 0)


def jpeg_of_another_size():
    """Tiles of 64 × 64 whose JPEG streams say that they are 65,000 × 65,000."""
    stream = bytearray(imagecodecs.jpeg8_encode(np.zeros((64, 64), np.uint8)))
    frame = stream.index(b"\xff\xc0")
    stream[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    return tiled(64, 64, 7, bytes(stream))


def webp_of_another_size():
    stream = bytearray(imagecodecs.webp_encode(np.zeros((64, 64, 3), np.uint8), lossless=True))
    stream[21:25] = (16_382 | 16_382 << 14).to_bytes(4, "little")
    return tiled(64, 64, 50_001, bytes(stream), tag_277=Tag(SHORT, [3]), tag_258=Tag(SHORT, [8] * 3))


def jpeg2000_of_another_size():
    stream = bytearray(imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint8), codecformat="j2k"))
    struct.pack_into(">II", stream, 8, 40_000, 40_000)
    struct.pack_into(">II", stream, 24, 40_000, 40_000)
    return tiled(64, 64, 34_712, bytes(stream))


def lerc_of_another_size():
    stream = bytearray(imagecodecs.lerc_encode(np.zeros((64, 64), np.uint8)))
    struct.pack_into("<II", stream, 14, 40_000, 40_000)
    return tiled(64, 64, 34_887, bytes(stream), tag_50674=Tag(LONG, [4, 0]))


def nested_pyramid(depth):
    """Levels within levels: each directory's one sub-directory is the next."""
    sizes = [max(1, 256 >> n) for n in range(depth)]
    image = tiff([plain(size, size) | {330: Tag(LONG, [0])} for size in sizes], bytes(256 * 256))
    for _ in range(3):  # places move as links are filled in, and then no more
        places = _places(image, depth)
        image = tiff(
            [
                plain(size, size) | {330: Tag(LONG, [place])}
                for size, place in zip(sizes, [*places[1:], 0], strict=True)
            ],
            bytes(256 * 256),
            links=[END] * depth,
        )
    return image


def _places(image, depth):
    size = 2 + 12 * struct.unpack_from("<H", image, struct.unpack_from("<I", image, 4)[0])[0] + 4
    first = struct.unpack_from("<I", image, 4)[0]
    return [first + number * (size + size % 2) for number in range(depth)]


def sparse_profile(path):
    """A profile of 300 MB, all of it there, though not on the disk."""
    data = tiff([plain(tag_34675=Tag(UNDEFINED, b"", 300 << 20, 4096))], bytes(64))
    with path.open("wb") as file:
        file.write(data)
        file.truncate(4096 + (300 << 20))


def sparse_tables(path):
    """Tables of a hundred million tiles, all of them there, though not on the disk."""
    tiles = 100_000_000
    tags = image_tags(160_000, 160_000)
    del tags[278]
    tags |= {322: Tag(LONG, [16]), 323: Tag(LONG, [16])}
    tags |= {324: Tag(LONG, b"", tiles, 4096), 325: Tag(LONG, b"", tiles, 4096)}
    with path.open("wb") as file:
        file.write(tiff([tags]))
        file.truncate(4096 + 4 * tiles)


SIDE = 40_000
TRAPS = (
    Trap("deflate-bomb.tif", holding(lambda: stripped(SIDE, SIDE, 8, deflated_zeros(SIDE * SIDE)))),
    Trap("lzw-bomb.tif", holding(lambda: stripped(SIDE, SIDE, 5, lzw_zeros(1024)))),
    Trap("zstd-bomb.tif", holding(lambda: stripped(SIDE, SIDE, 50_000, zstd_zeros(SIDE * SIDE)))),
    Trap("packbits-bomb.tif", holding(lambda: stripped(SIDE, SIDE, 32_773, b"\x81\x00" * 10_000))),
    Trap("overlapping-tiles.tif", holding(lambda: tiled(131_072, 512, 8, deflated_zeros(512 * 512)))),
    Trap(
        "overlapping-zstd-tiles.tif", holding(lambda: tiled(131_072, 1024, 50_000, zstd_zeros(1024 * 1024)))
    ),
    Trap("huge-tile.tif", holding(lambda: tiled(SIDE, SIDE - SIDE % 16, 8, deflated_zeros(1)))),
    Trap(
        "tile-of-2-31.tif",
        holding(lambda: one(tag_322=Tag(LONG, [2**31 - 16]), tag_323=Tag(LONG, [2**31 - 16]))),
    ),
    Trap("a-billion-strips.tif", holding(lambda: lying(8, 2**31 - 1, tag_278=Tag(LONG, [1])))),
    Trap("sides-of-2-32.tif", holding(lambda: lying(2**32 - 1, 2**32 - 1))),
    Trap("channels.tif", holding(lambda: one(tag_277=Tag(LONG, [2**31])))),
    Trap(
        "65535-wide-channels.tif",
        holding(lambda: stripped(100_000, 100, 8, deflated_zeros(1), tag_277=Tag(SHORT, [65_535]))),
    ),
    Trap("strip-count.tif", holding(lambda: one(tag_273=Tag(LONG, [_FIRST], 2**32 - 1, _FIRST))), bomb=False),
    Trap("bits-count.tif", holding(lambda: one(tag_258=Tag(SHORT, [8], 2**31, _FIRST)))),
    Trap("sparse-profile.tif", sparse_profile, bomb=False),
    Trap("sparse-tables.tif", sparse_tables),
    Trap(
        "negative-offset.tif",
        holding(lambda: tiff([plain() | {273: Tag(LONG8, [2**64 - 8])}], bytes(64), big=True)),
    ),
    Trap(
        "offset-2-63.tif",
        holding(lambda: tiff([plain() | {273: Tag(LONG8, [2**63 - 1])}], bytes(64), big=True)),
    ),
    Trap("directory-behind-the-end.tif", holding(lambda: b"II*\x00" + struct.pack("<I", 2**32 - 2))),
    Trap("directory-in-the-header.tif", holding(lambda: b"II*\x00" + struct.pack("<I", 4) + bytes(20))),
    Trap("entries.tif", holding(lambda: b"II+\x00\x08\x00\x00\x00" + struct.pack("<QQ", 16, 2**60))),
    Trap("loop.tif", holding(lambda: chain(1, [0])), bomb=False),
    Trap("loop-asked-for-page-1.tif", holding(lambda: chain(1, [0])), options={"page": 1}),
    Trap("loop-of-two.tif", holding(lambda: chain(3, [1, 2, 1])), options={"page": 9}),
    Trap(
        "levels-of-itself.tif",
        holding(lambda: one(tag_330=Tag(LONG, [0] * 1, 60_000, _FIRST))),
        options={"level": 3},
    ),
    Trap("nested-pyramid.tif", holding(lambda: nested_pyramid(9)), bomb=False, options={"level": 1}),
    Trap("many-directories.tif", holding(many_directories), bomb=False),
    Trap("many-directories-page.tif", holding(many_directories), options={"page": 59_999}, bomb=False),
    Trap(
        "laughs.ome.tif",
        holding(lambda: one(tag_270=Tag(ASCII, _LAUGHS.encode() + b"\x00"))),
        options={"plane": "z=0"},
    ),
    Trap("keys.tif", holding(lambda: one(tag_34735=Tag(SHORT, [1, 1, 0, 65_535] * 4))), bomb=False),
    Trap("exif-in-itself.tif", holding(lambda: one(tag_34665=Tag(LONG, [8]))), bomb=False),
    Trap("jpeg-of-another-size.tif", holding(jpeg_of_another_size), bomb=False),
    Trap("webp-of-another-size.tif", holding(webp_of_another_size), bomb=False),
    Trap("jpeg2000-of-another-size.tif", holding(jpeg2000_of_another_size), bomb=False),
    Trap("lerc-of-another-size.tif", holding(lerc_of_another_size), bomb=False),
    Trap("more-than-a-strip.tif", holding(lambda: stripped(8, 8, 8, deflated_zeros(1 << 30))), bomb=False),
    Trap(
        "more-than-a-zstd-strip.tif", holding(lambda: stripped(8, 8, 50_000, zstd_zeros(1 << 32))), bomb=False
    ),
    Trap(
        "zstd-of-untold-size.tif",
        holding(lambda: stripped(8, 8, 50_000, zstd_zeros(1 << 32, told=False))),
        bomb=False,
    ),
)
