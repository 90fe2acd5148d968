"""Warm worlds for the exactness suite."""

import pytest
from worlds import Worlds


@pytest.fixture(scope="session")
def worlds(tmp_path_factory):
    """Give worlds that stay warm for the whole session."""
    worlds = Worlds(tmp_path_factory.mktemp("worlds"))
    yield worlds
    worlds.close()
