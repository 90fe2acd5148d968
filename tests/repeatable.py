"""What Hypothesis gives to a test that is not to be random, whatever else is loaded or run."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis.internal.conjecture import providers


@contextmanager
def same_each_time() -> Iterator[None]:
    """Keep Hypothesis from drawing numbers that stand in the modules which happen to be loaded.

    It does so even for tests that are derandomized: alone, they would get other examples than beside
    others, and other examples after a change anywhere.
    """
    none = type(providers._local_constants)()
    permitted = type(providers.CONSTANTS_CACHE)(providers.CONSTANTS_CACHE.max_size)
    with (
        patch.object(providers, "_get_local_constants", lambda: none),
        patch.object(providers, "CONSTANTS_CACHE", permitted),
    ):
        yield
