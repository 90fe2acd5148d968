"""Lists of numbers as people type them: separated by commas, semicolons or spaces."""

import re

from mpi_stage.operations.declaring.declaration import Value


def as_numbers(text: str) -> Value:
    """Return the numbers in ``text``, None if it is empty, and the text itself if it is no list.

    A text that is no list goes on unchanged, so that the check of the pipeline can say what is
    wrong with it.
    """
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    if not parts:
        return None
    try:
        return tuple(float(part) for part in parts)
    except ValueError:
        return text


def as_text(value: Value) -> str:
    """Return numbers as a person would type them."""
    if isinstance(value, tuple):
        return ", ".join(repr(number).removesuffix(".0") for number in value)
    return "" if value is None else str(value)
