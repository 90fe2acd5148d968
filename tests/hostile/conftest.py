"""One stage process for all hostile files of a session's tests."""

import pytest
from arena import Arena


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    some = Arena(tmp_path_factory.mktemp("arena"))
    yield some
    some.close()
