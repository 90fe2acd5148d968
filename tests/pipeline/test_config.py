"""Where settings come from, and how faults are told."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.config import OF_SERVICE, Settings, write_connection
from pipeline.errors import SettingsError
from pipeline.settings.connection_file import connection_path, remove_connection


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in os.environ:
        if name.startswith("HALOROW_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_are_enough():
    settings = Settings.load()
    assert settings.data_dir == Path.cwd() / "halorow-data"
    assert settings.store_uri == f"{Path.cwd().as_uri()}/halorow-data/store"
    assert settings.memory_bytes == 1 << 30
    assert settings.base_url == "http://127.0.0.1:8501"
    assert (settings.lease_s, settings.heartbeat_s, settings.max_attempts) == (15.0, 5.0, 5)


def test_the_local_store_lies_in_the_data_directory_whatever_its_name(tmp_path):
    assert Settings.load(data_dir=tmp_path / "a b%").store_uri == f"{tmp_path.as_uri()}/a%20b%25/store"


def test_arguments_win_over_the_environment_which_wins_over_the_file(monkeypatch):
    Path("halorow.toml").write_text("workers = 1\nmax_attempts = 1\nuser = 'file'\n")
    monkeypatch.setenv("HALOROW_WORKERS", "2")
    monkeypatch.setenv("HALOROW_USER", "env")
    settings = Settings.load(user="arg")
    assert (settings.max_attempts, settings.workers, settings.user) == (1, 2, "arg")


def test_the_settings_file_can_be_named_by_the_environment(monkeypatch, tmp_path):
    (tmp_path / "other.toml").write_text('memory_bytes = "2GiB"\n')
    monkeypatch.setenv("HALOROW_CONFIG", str(tmp_path / "other.toml"))
    assert Settings.load().memory_bytes == 2 << 30


def test_an_argument_of_none_is_not_given(monkeypatch):
    monkeypatch.setenv("HALOROW_PAGE_PORT", "9000")
    assert Settings.load(page_port=None).page_port == 9000


def test_all_faults_are_told_at_once_with_place_expectation_and_value(monkeypatch):
    Path("halorow.toml").write_text("lease_s = 'soon'\nwrokers = 3\n")
    monkeypatch.setenv("HALOROW_PAGE_PORT", "99999")
    with pytest.raises(SettingsError) as caught:
        Settings.load(log_level="loud")
    text = str(caught.value)
    assert len(text.splitlines()) == 5
    assert "lease_s (halorow.toml)" in text
    assert "got 'soon'" in text
    assert "wrokers (halorow.toml): there is no such setting" in text
    assert "page_port (environment)" in text
    assert "less than or equal to 65535, got '99999'" in text
    assert "log_level (argument)" in text


def test_a_heartbeat_must_fit_twice_into_a_lease():
    with pytest.raises(SettingsError, match=r"heartbeat_s .*half of lease_s \(4\.0 s\), got 3"):
        Settings.load(lease_s=4.0, heartbeat_s=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [("redis_url", "http://:hunter2@x"), ("link_secret", ["hunter2"]), ("public_base_url", "x")],
)
def test_a_wrong_value_is_named_and_a_secret_one_not_shown(name, value):
    with pytest.raises(SettingsError, match=name) as caught:
        Settings.load(**{name: value})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("how", [repr, str, lambda settings: settings.model_dump_json()])
def test_secrets_are_not_shown(how):
    settings = Settings.load(redis_url="redis://:hunter2@h/0", link_secret="hunter3")  # noqa: S106  (drawn)
    assert "hunter" not in how(settings)


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        Settings.load().workers = 3


def test_a_broken_settings_file_is_a_fault():
    Path("halorow.toml").write_text("workers =")
    with pytest.raises(SettingsError, match=r"halorow\.toml cannot be read"):
        Settings.load()


def test_a_named_settings_file_that_is_missing_is_a_fault(monkeypatch):
    monkeypatch.setenv("HALOROW_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        Settings.load()


def running_service(**values):
    given = {"redis_url": "redis://:pass@127.0.0.1:7777/0", "link_secret": 's"ecret ☂', "page_port": 9999}
    settings = Settings.load(find_service=False, **(given | values))
    write_connection(settings)
    return settings


def test_others_find_the_running_service_by_its_connection_file():
    service = running_service(ray_address="127.0.0.1:6380")
    found = Settings.load()
    for name in ("redis_url", "store_uri", "link_secret", "ray_address", "base_url"):
        assert getattr(found, name) == getattr(service, name)


def test_the_service_is_looked_for_in_the_data_directory_that_is_set(monkeypatch, tmp_path):
    service = running_service(data_dir=tmp_path / "elsewhere")
    assert Settings.load().redis_url != service.redis_url
    assert Settings.load(data_dir=tmp_path / "elsewhere").redis_url == service.redis_url
    monkeypatch.setenv("HALOROW_DATA_DIR", str(tmp_path / "elsewhere"))
    assert Settings.load().redis_url == service.redis_url


def test_a_service_that_is_named_is_not_mixed_with_the_one_that_is_found():
    running_service()
    settings = Settings.load(redis_url="redis://cluster/0", store_uri="gs://bucket")
    assert settings.link_secret.get_secret_value() == ""
    assert Settings.load(find_service=False).link_secret.get_secret_value() == ""


def test_in_the_service_s_own_programs_counts_what_its_supervisor_has_chosen(monkeypatch):
    service = running_service(store_uri="gs://bucket/here", gcs_credentials_file="key.json")
    monkeypatch.setenv("HALOROW_REDIS_URL", "redis://cluster/0")
    monkeypatch.setenv("HALOROW_RAY_DASHBOARD_PORT", "1234")

    assert Settings.load().redis_url != service.redis_url
    monkeypatch.setenv(OF_SERVICE, "1")
    found = Settings.load()
    assert (found.redis_url, found.store_uri) == (service.redis_url, service.store_uri)
    assert found.ray_dashboard_port == service.ray_dashboard_port
    assert found.gcs_credentials_file == Path("key.json").absolute()


def test_the_connection_file_is_for_its_owner_alone():
    settings = running_service()
    path = connection_path(settings.data_dir)
    path.chmod(0o644)
    write_connection(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_removed_connection_file_is_not_found():
    settings = running_service()
    remove_connection(settings.data_dir)
    remove_connection(settings.data_dir)
    assert Settings.load().redis_url != settings.redis_url


def test_a_broken_connection_file_is_a_fault_with_a_remedy():
    settings = running_service()
    connection_path(settings.data_dir).write_text("redis_url = ")
    with pytest.raises(SettingsError, match="remove it"):
        Settings.load()


def test_a_world_may_have_no_more_cores_than_the_cluster_may_ever_have():
    assert Settings.load(cores=8).world_cores == 8
    assert Settings.load(cores=64, nodes_max=3, node_cores=16).world_cores == 48
    assert Settings.load(cores=8, nodes_max=3, node_cores=16).world_cores == 8


def test_minimum_and_standby_are_within_the_maximum_of_nodes():
    with pytest.raises(SettingsError, match=r"nodes_min.*at most nodes_max \(2\)(.|\n)*nodes_standby"):
        Settings.load(nodes_max=2, nodes_min=3, nodes_standby=4)
