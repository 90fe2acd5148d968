"""The one connection of the page."""

import pytest

from pipeline import connect
from pipeline.config import Settings
from pipeline.errors import QueueUnavailableError
from ui.service import connection as service


def test_a_drawing_does_not_wait_for_redis_as_long_as_a_worker_does(monkeypatch, tmp_path, unused_redis):
    asked = []
    monkeypatch.setattr(service, "settings", lambda: Settings(data_dir=tmp_path, redis_url=unused_redis))
    monkeypatch.setattr(service, "PATIENCE_S", 0.1)
    real = connect.connect
    monkeypatch.setattr(
        connect, "connect", lambda url, **more: (asked.append(more["patience_s"]), real(url, **more))[1]
    )
    service.connection.cache_clear()

    with pytest.raises(QueueUnavailableError):
        service.connection()

    assert asked == [0.1]
    assert service.PATIENCE_S < connect.PATIENCE_S


@pytest.fixture
def unused_redis():
    """Give the address of a port that nobody listens at."""
    return "redis://:secret@127.0.0.1:1/0"
