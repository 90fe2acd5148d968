"""What the doctor finds, and what it says to do."""

import json
import socket

import pytest
from typer.testing import CliRunner

from pipeline.cli import doctor
from pipeline.cli.application import application
from pipeline.cli.doctor import CHECKS, Health, examine_all
from pipeline.config import Settings
from pipeline.errors import SettingsError
from pipeline.redis.examine import RedisFacts
from tests.receivers import receiving


@pytest.fixture
def settings(redis_server, tmp_path):
    return Settings.load(
        find_service=False,
        data_dir=tmp_path,
        redis_url=redis_server.url,
        link_secret="of the tests",  # noqa: S106  (a test's)
    )


def found(settings, part, *, only=None):
    checks = CHECKS[only or part](settings)
    return [one for one in checks if one.part == part]


def test_a_service_that_has_all_it_needs_is_well(settings):
    findings = list(examine_all(lambda: settings))
    assert [one for one in findings if one.health is Health.ILL] == []
    assert {one.part for one in findings} >= {"settings", "access", "store", "redis", "clock", "disk", "mpi"}
    assert not list(settings.data_dir.glob("store/objects/doctor/*"))


def test_the_command_prints_every_part_and_exits_with_one_where_something_is_ill(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"redis": CHECKS["redis"]})
    monkeypatch.setenv("HALOROW_REDIS_URL", "redis://:hidden-word@127.0.0.1:1/0")
    app = application(["doctor"])
    as_text = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path)])
    assert as_text.exit_code == 1
    assert "ILL   redis" in as_text.output
    assert "→ start Redis" in as_text.output
    assert "hidden-word" not in as_text.output
    as_json = json.loads(CliRunner().invoke(app, ["doctor", "--data", str(tmp_path), "--json"]).output)
    assert [one["health"] for one in as_json["findings"]] == ["well", "ill"]


def test_wrong_settings_are_all_that_is_told_of():
    def load():
        raise SettingsError("workers: too many")

    assert [(one.part, one.health) for one in examine_all(load)] == [("settings", Health.ILL)]


def test_a_page_that_is_open_to_all_is_a_warning_and_one_by_accident_is_ill(settings, monkeypatch):
    opened = settings.model_copy(update={"page_host": "0.0.0.0", "page_open": True})  # noqa: S104  (not bound)
    assert found(opened, "access")[0].health is Health.WARNING
    monkeypatch.setattr(doctor, "CHECKS", {"access": CHECKS["access"]})
    by_accident = settings.model_copy(update={"page_host": "192.0.2.1"})
    findings = list(examine_all(lambda: by_accident))
    assert next(one for one in findings if one.part == "access").health is Health.ILL


def test_a_store_that_cannot_be_written_is_ill(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"store": CHECKS["store"]})
    (tmp_path / "file").write_text("no folder")
    broken = settings.model_copy(update={"store_uri": (tmp_path / "file" / "store").as_uri()})
    findings = [one for one in examine_all(lambda: broken) if one.part == "store"]
    assert findings[0].health is Health.ILL


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({"asks_password": False}, "requirepass"),
        ({"keeps": False}, "appendonly"),
        ({"evicts": True}, "noeviction"),
        ({"version": "5.0.7"}, "6.2"),
    ],
)
def test_a_redis_that_may_lose_or_leak_something_is_told_of(settings, monkeypatch, facts, remedy):
    fine = {"version": "7.2.0", "asks_password": True, "keeps": True, "evicts": False}
    said = RedisFacts(where="there", ahead_s=0.0, answer_s=0.001, **{**fine, **facts})
    monkeypatch.setattr(doctor, "examine", lambda _: said)
    troubled = [one for one in CHECKS["redis"](settings) if one.health is not Health.WELL]
    assert [remedy in one.remedy for one in troubled] == [True]


def test_a_clock_that_is_wrong_is_told_of(settings, monkeypatch):
    said = RedisFacts("there", "7.2.0", True, True, False, ahead_s=-90.0, answer_s=0.001)  # noqa: FBT003  (facts)
    monkeypatch.setattr(doctor, "examine", lambda _: said)
    clock = found(settings, "clock", only="redis")[0]
    assert (clock.health, "90.0 s behind" in clock.text) == (Health.WARNING, True)


def test_the_real_redis_asks_for_a_password_and_keeps_what_it_knows(settings):
    assert [one.health for one in CHECKS["redis"](settings)] == [Health.WELL, Health.WELL]


def test_a_port_that_another_program_has_is_told_of(settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = settings.model_copy(update={"page_port": other.getsockname()[1]})
        assert found(taken, "ports", only="page")[0].health is Health.WARNING
    assert found(taken, "ports", only="page")[0].health is Health.WELL


def test_a_full_disk_and_few_files_are_told_of(settings, monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 62)
    monkeypatch.setattr(doctor, "LEAST_FILES", 1 << 40)
    findings = list(CHECKS["disk"](settings))
    assert {one.part for one in findings if one.health is Health.WARNING} >= {"disk"}


def test_a_mail_server_is_asked_whether_it_takes_mail(settings):
    with receiving() as receivers:
        there = {"smtp_host": "127.0.0.1", "smtp_port": receivers.smtp_port, "smtp_security": "none"}
        chosen = settings.model_copy(update={**there, "mail_from": "halorow@example.org"})
        (answered,) = CHECKS["mail"](chosen)
    assert "takes mail from halorow@example.org" in answered.text
    (none,) = CHECKS["mail"](settings)
    assert "none is sent" in none.text
    with pytest.raises(OSError, match="refused"):
        list(CHECKS["mail"](chosen))
