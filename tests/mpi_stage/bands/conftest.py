"""The attempts that a test makes, by worlds that stay warm for all tests of a module."""

import pytest
from band_attempts import Attempts, Worlds


@pytest.fixture(scope="module")
def worlds():
    warm = Worlds()
    yield warm
    warm.close()


@pytest.fixture
def attempts(tmp_path, worlds):
    return Attempts(tmp_path, worlds)
