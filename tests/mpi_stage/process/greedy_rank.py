"""A rank whose PNG decoder takes what it can get: ``greedy_rank.py memory|time|… --control PATH``."""

import ctypes
import hashlib
import os
import sys

import imagecodecs

_GREED = {
    "memory": lambda: bytearray(1 << 34),
    "time": lambda: hashlib.pbkdf2_hmac(
        "sha256", b"x", b"y", 2**31 - 1
    ),  # one call, which nothing interrupts
    "crash": lambda: ctypes.string_at(0),
    "abort": lambda: (
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n"),
        os.abort(),
    ),
}


def main() -> int:
    """Replace the decoder and be a rank; images of one row are decoded as they are."""
    greed, decode = _GREED[sys.argv.pop(1)], imagecodecs.png_decode

    def png_decode(data, *args, **options):
        if int.from_bytes(data[20:24], "big") > 1:
            greed()
        return decode(data, *args, **options)

    imagecodecs.png_decode = png_decode
    from mpi_stage.__main__ import main as rank  # noqa: PLC0415  (it reads the arguments as they are now)

    return rank()


if __name__ == "__main__":
    sys.exit(main())
