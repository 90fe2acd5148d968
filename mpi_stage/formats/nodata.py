"""The value that stands for pixels without data."""

import math

import numpy as np


def nodata_value(text: str | None, dtype: str) -> float | None:
    """Return the value that the text of a tag means for pixels of a type; None where none can have it."""
    try:
        value = float((text or "").strip("\x00 "))
    except ValueError:
        return None
    if dtype == "float32":
        return value if math.isnan(value) else float(np.float32(value))
    limits = np.iinfo(dtype)
    fits = value == round(value) and limits.min <= value <= limits.max if math.isfinite(value) else False
    return value if fits else None
