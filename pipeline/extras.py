"""What only some users need: the packages that extras bring, and what is said where one is missing.

Nothing imports such a package before it is wanted, and whoever wants it asks here first.
"""

from contextlib import suppress
from importlib.util import find_spec

from pipeline.errors import MissingExtraError

DASHBOARD = "aiohttp_cors"
"""What of ``ray[default]`` nothing else brings."""

EXTRAS = {
    DASHBOARD: "dashboard",
    "apprise": "chat",
    "authlib": "login",
    "google.cloud.storage": "gcs",
    "googleapiclient": "gce",
}
"""The extra by a module that nothing else brings; ``gpu_kernels.device`` tells of the one for GPUs."""


def is_there(module: str) -> bool:
    """Whether a module can be imported."""
    with suppress(ModuleNotFoundError):  # not even what it lies in
        return find_spec(module) is not None
    return False


def lack_of(module: str, wanted: str) -> str | None:
    """Return what is missing for what is ``wanted`` and how to get it; None where all is there."""
    if is_there(module):
        return None
    extra = EXTRAS[module]
    return f"{wanted} needs the extra `{extra}`, which is not installed: pip install 'halorow[{extra}]'"


def require(module: str, wanted: str) -> None:
    """Raise MissingExtraError where a module is not there that is needed for what is ``wanted``."""
    lack = lack_of(module, wanted)
    if lack is not None:
        raise MissingExtraError(lack)
