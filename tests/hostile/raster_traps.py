"""Hostile PNG, JPEG, JPEG 2000, WebP, AVIF and BMP files."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
from PIL import Image
from streams import deflated_zeros
from trap import Trap, holding

_SIDE = 30_000
_GRAY = np.arange(64, dtype=np.uint8).reshape(8, 8)
_RGB = np.dstack([_GRAY] * 3)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(columns, rows, *more, data=None, colour=2, depth=8, interlaced=0):
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, interlaced)
    pixels = zlib.compress(bytes(rows * (1 + 3 * columns))) if data is None else data
    chunks = [chunk(b"IHDR", header), *more, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def small_png(*more):
    return png(8, 8, *more)


def many_texts():
    return small_png(*[chunk(b"tEXt", b"k\x00v")] * 60_000)


def jpeg(columns, rows, pixels=_RGB, **options):
    """Return a JPEG that says another size than it has."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **options)
    stream = bytearray(out.getvalue())
    marker = b"\xff\xc2" if options.get("progressive") else b"\xff\xc0"
    frame = stream.index(marker)
    stream[frame + 5 : frame + 9] = struct.pack(">HH", rows, columns)
    return bytes(stream)


def many_scans():
    """A progressive JPEG of 4,000 × 4,000 px that goes over all of it a thousand times, in few bytes."""
    stream = jpeg(4000, 4000, _GRAY, progressive=True)
    start = stream.index(b"\xff\xda")
    tables, scans = stream[:start], stream[start:-2]
    ends = [at for at in range(2, len(scans)) if scans[at : at + 2] in {b"\xff\xda", b"\xff\xc4"}]
    first = scans[: ends[0]] if ends else scans
    return tables + first * 1000 + b"\xff\xd9"


def with_segments(code, payload, times):
    stream = jpeg(8, 8)
    segment = bytes([0xFF, code]) + struct.pack(">H", len(payload) + 2) + payload
    return stream[:2] + segment * times + stream[2:]


def exif_loop():
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + entry + struct.pack("<I", 8)


def webp(name, payload):
    body = b"WEBP" + name + struct.pack("<I", len(payload)) + payload + b"\x00" * (len(payload) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lossless_webp(columns, rows):
    stream = bytearray(imagecodecs.webp_encode(np.zeros((64, 64, 3), np.uint8), lossless=True))
    stream[21:25] = (columns - 1 | (rows - 1) << 14).to_bytes(4, "little")
    return bytes(stream)


def canvas_webp():
    side = (2**24 - 1).to_bytes(3, "little")
    image = lossless_webp(64, 64)[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + side + side + image
    return b"RIFF" + struct.pack("<I", len(body)) + body


def long_webp_profile():
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x20\x00\x00\x00" + b"\x07\x00\x00" * 2
    body += b"ICCP" + struct.pack("<I", 2**32 - 2) + bytes(16)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def avif(columns, rows):
    stream = bytearray(imagecodecs.avif_encode(_RGB))
    at = stream.index(b"ispe") + 8
    stream[at : at + 8] = struct.pack(">II", columns, rows)
    return bytes(stream)


def boxes(count):
    stream = bytes(imagecodecs.avif_encode(_RGB))
    length = struct.unpack(">I", stream[:4])[0]
    return stream[:length] + struct.pack(">I4s", 8, b"free") * count + stream[length:]


def box_in_box(depth):
    inner = b""
    for _ in range(depth):
        inner = struct.pack(">I4s4x", len(inner) + 12, b"meta") + inner
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"avif", 0, b"mif1") + inner


def jpeg2000(columns, rows, tile=None, box="j2k", components=None):
    stream = bytearray(imagecodecs.jpeg2k_encode(_GRAY, codecformat=box))
    at = stream.index(b"\xff\x4f\xff\x51") + 8
    struct.pack_into(">II", stream, at, columns, rows)
    struct.pack_into(">II", stream, at + 16, *(tile or (columns, rows)))
    if components:
        struct.pack_into(">H", stream, at + 32, components)
        stream[at + 34 : at + 34] = bytes([7, 1, 1]) * (components - 1)
        struct.pack_into(">H", stream, at - 4, 38 + 3 * components)
    return bytes(stream)


def endless_box():
    stream = bytearray(jpeg2000(8, 8, box="jp2"))
    return bytes(stream[:12]) + struct.pack(">I4sQ", 1, b"ftyp", 2**63) + bytes(stream[12:])


def bmp(columns, rows, bits=24, compression=0, *, data=bytes(192), colours=0):
    start = 54 + 4 * (256 if bits == 8 else 0)
    head = struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, bits, compression, len(data), 0, 0, colours, 0)
    file = struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
    return file + head + bytes(start - 54) + data


PNG = (
    Trap("sides-of-2-31.png", holding(lambda: png(2**31 - 1, 2**31 - 1, data=b"x"))),
    Trap("zlib-bomb.png", holding(lambda: png(_SIDE, _SIDE, data=deflated_zeros(_SIDE * (3 * _SIDE + 1))))),
    Trap("interlaced-bomb.png", holding(lambda: png(_SIDE, _SIDE, data=deflated_zeros(1), interlaced=1))),
    Trap("deep-bomb.png", holding(lambda: png(_SIDE, _SIDE, data=deflated_zeros(1), colour=6, depth=16))),
    Trap("one-bit-bomb.png", holding(lambda: png(60_000, 60_000, data=deflated_zeros(1), colour=0, depth=1))),
    Trap("one-row.png", holding(lambda: png(2**31 - 1, 1, data=deflated_zeros(1)))),
    Trap(
        "text-bomb.png",
        holding(lambda: small_png(chunk(b"zTXt", b"k\x00\x00" + deflated_zeros(1 << 30)))),
        bomb=False,
    ),
    Trap(
        "international-bomb.png",
        holding(lambda: small_png(chunk(b"iTXt", b"k\x00\x01\x00\x00\x00" + deflated_zeros(1 << 30)))),
        bomb=False,
    ),
    Trap(
        "profile-bomb.png",
        holding(lambda: small_png(chunk(b"iCCP", b"k\x00\x00" + deflated_zeros(1 << 30)))),
        bomb=False,
    ),
    Trap("many-texts.png", holding(many_texts), bomb=False),
    Trap(
        "frames.png", holding(lambda: small_png(chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))), bomb=False
    ),
    Trap("more-than-rows.png", holding(lambda: png(8, 8, data=deflated_zeros(1 << 30))), bomb=False),
    Trap(
        "chunk-of-2-31.png",
        holding(lambda: small_png()[:33] + struct.pack(">I4s", 2**31 - 1, b"tEXt")),
        bomb=False,
    ),
    Trap("profile-of-zeros.png", holding(lambda: small_png(chunk(b"eXIf", exif_loop()[6:]))), bomb=False),
)
JPEG = (
    Trap("65500.jpg", holding(lambda: jpeg(65_500, 65_500))),
    Trap("65500-progressive.jpg", holding(lambda: jpeg(65_500, 65_500, progressive=True))),
    Trap("65500-gray.jpg", holding(lambda: jpeg(65_500, 65_500, _GRAY))),
    Trap("many-scans.jpg", holding(many_scans), bomb=False),
    Trap(
        "profiles.jpg",
        holding(lambda: with_segments(0xE2, b"ICC_PROFILE\x00\x01\x01" + bytes(65_000), 1000)),
        bomb=False,
    ),
    Trap("exif-loop.jpg", holding(lambda: with_segments(0xE1, exif_loop(), 1)), bomb=False),
    Trap("comments.jpg", holding(lambda: with_segments(0xFE, b"x", 100_000)), bomb=False),
    Trap(
        "photoshop.jpg",
        holding(lambda: with_segments(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\xff\xff\xff\xff", 1)),
        bomb=False,
    ),
    Trap(
        "mpo.jpg",
        holding(
            lambda: with_segments(
                0xE2,
                b"MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x01\xb0\x04\x00\xff\xff\xff\x7f\x08\x00\x00\x00\x08\x00\x00\x00",
                1,
            )
        ),
        bomb=False,
    ),
)
OTHERS = (
    Trap("lossless-bomb.webp", holding(lambda: lossless_webp(16_383, 16_383))),
    Trap("canvas.webp", holding(canvas_webp)),
    Trap("long-profile.webp", holding(long_webp_profile)),
    Trap(
        "lossy-16383.webp",
        holding(
            lambda: webp(
                b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383) + bytes(64)
            )
        ),
    ),
    Trap("sides-of-2-32.avif", holding(lambda: avif(2**32 - 1, 2**32 - 1))),
    Trap("40000.avif", holding(lambda: avif(40_000, 40_000))),
    Trap("boxes.avif", holding(lambda: boxes(5000))),
    Trap("box-in-box.avif", holding(lambda: box_in_box(50_000))),
    Trap("sides-of-2-32.j2k", holding(lambda: jpeg2000(2**32 - 1, 2**32 - 1))),
    Trap("40000.j2k", holding(lambda: jpeg2000(40_000, 40_000))),
    Trap("tiles-of-one-pixel.j2k", holding(lambda: jpeg2000(4000, 4000, (1, 1))), bomb=False),
    Trap("components.j2k", holding(lambda: jpeg2000(2000, 2000, components=16_000))),
    Trap("endless-box.jp2", holding(endless_box)),
    Trap("sides-of-2-31.bmp", holding(lambda: bmp(2**31 - 1, 2**31 - 1))),
    Trap("run-length-bomb.bmp", holding(lambda: bmp(30_000, 30_000, 8, 1, data=b"\xff\x00" * 100))),
    Trap("negative.bmp", holding(lambda: bmp(-8, 8)), bomb=False),
    Trap("colours.bmp", holding(lambda: bmp(8, 8, 8, 0, colours=2**32 - 1)), bomb=False),
    Trap(
        "cut-delta.bmp", holding(lambda: bmp(5000, 5000, 8, 1, data=b"\x00\x02\xff\xff" * 1000)), bomb=False
    ),
)
TRAPS = (*PNG, *JPEG, *OTHERS)
