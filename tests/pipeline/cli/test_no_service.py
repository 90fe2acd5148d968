"""Commands of the service where there is none."""

import pytest
from pydantic import SecretStr

from pipeline.cli.service import _client
from pipeline.config import Settings
from pipeline.errors import ServiceError

NOBODY = SecretStr("redis://127.0.0.1:1/0")


def test_who_has_no_service_is_told_how_to_start_one_instead_of_waiting_for_redis(tmp_path, monkeypatch):
    settings = Settings.load(find_service=False, data_dir=tmp_path).model_copy(update={"redis_url": NOBODY})
    settings.model_fields_set.discard("redis_url")  # as if the default named it
    monkeypatch.setattr(Settings, "load", classmethod(lambda _cls, **_given: settings))
    with pytest.raises(ServiceError, match="start one with `halorow up`"):
        _client(tmp_path)
