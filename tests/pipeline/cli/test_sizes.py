"""Amounts of memory as people write them."""

import pytest

from pipeline.cli.sizes import parse_size, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1GiB", 1 << 30),
        ("512MiB", 512 << 20),
        ("300MB", 300_000_000),
        ("1.5 kib", 1536),
        ("1000", 1000),
        ("7b", 7),
        ("2TiB", 2 << 40),
    ],
)
def test_sizes_with_units_are_understood(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "1G", "-1MB", "1 giga", "1e9", "nan"])
def test_what_is_no_size_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="512MiB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["0", "0GiB", "0.0001b"])
def test_nothing_is_no_size(text):
    with pytest.raises(ValueError, match="less than one byte"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (1536, "1.5 KiB"), (3 << 30, "3 GiB"), (2 << 40, "2 TiB")]
)
def test_sizes_are_shown_short(size, text):
    assert show_size(size) == text
