"""Whether kernels can run on a GPU here."""

from importlib.util import find_spec


def why_unusable() -> str | None:
    """Return in words why no GPU can be used here, None if one can.

    This version of halorow has no GPU kernels yet, so the answer is never None.
    """
    if find_spec("cupy") is None:
        return "CuPy is not installed, and this version has no GPU kernels"
    return "this version has no GPU kernels"
