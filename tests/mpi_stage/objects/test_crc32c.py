"""Checksums of pieces joined, judged by those of the whole."""

import google_crc32c
from hypothesis import given
from hypothesis import strategies as st

from mpi_stage.objects.crc32c import combine, crc32c, decoded, encoded, stated_in


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_the_checksums_of_pieces_make_that_of_the_whole(pieces):
    together = combine((crc32c(piece), len(piece)) for piece in pieces)
    assert together == google_crc32c.value(b"".join(pieces))


def test_long_pieces_are_joined_without_their_bytes():
    zeros, end = bytes(5_000_000), b"end"
    found = combine([(crc32c(zeros), len(zeros)), (crc32c(end), len(end))])
    assert found == google_crc32c.value(zeros + end)


def test_a_checksum_goes_on_where_another_ended():
    assert crc32c(b"world", crc32c(b"hello ")) == google_crc32c.value(b"hello world")


def test_a_checksum_is_told_as_the_store_tells_it():
    assert encoded(crc32c(b"123456789")) == "4waSgw=="  # 0xE3069283, the check value of RFC 3720
    assert stated_in("md5=JfnnlDI7RTiF9RgfG2JNCw==,crc32c=4waSgw==") == decoded("4waSgw==") == 0xE3069283
    assert stated_in("md5=JfnnlDI7RTiF9RgfG2JNCw==") is None
