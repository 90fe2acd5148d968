"""Who sees the page, and what of it."""

import sys
import tomllib
from pathlib import Path

import pytest
import streamlit as st
from drawn_jobs import jobs_data
from streamlit.testing.v1 import AppTest

from pipeline.access.page_access import check_exposure, is_loopback, write_login
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.errors import SettingsError
from tests.strangers.rig import refusals
from ui.service import connection as service
from ui.service.login import name_of

LOGIN = {
    "login_metadata_url": "https://id.example/.well-known/openid-configuration",
    "login_client_id": "halorow",
    "login_client_secret": "of the tests",
    "link_secret": "of the tests",
}


def settings_with(tmp_path, **values):
    return Settings.load(find_service=False, data_dir=tmp_path, **values)


class Visitor:
    """What Streamlit knows of whoever looks at the page, once the provider has vouched for them."""

    def __init__(self, **claims):
        self.is_logged_in = bool(claims)
        self._claims = claims

    def to_dict(self):
        return self._claims


def named_in(page):
    """Return whose images the list of jobs shows."""
    if not page.get("bidi_component"):
        return set()
    return {card["title"].partition(".")[0] for card in jobs_data(page)["seen"]["cards"]}


@pytest.fixture
def draw(parts, tmp_path, monkeypatch):
    """Give the page as a visitor sees it, of a service that asks for a login."""
    settings = settings_with(tmp_path, **LOGIN, login_users="@example.com", operators="olga@example.com")
    made = Client(parts, settings)
    for name in ("ada@example.com", "bob@example.com"):
        made.acting_for(settings.person(name)).submit_bytes(b"x", f"{name[:3]}.png", "invert")
    monkeypatch.setattr(service, "connection", lambda: made)
    monkeypatch.setattr(service, "settings", lambda: settings)

    def drawn(**claims):
        monkeypatch.setattr(st, "user", Visitor(**claims))
        st.cache_data.clear()
        page = AppTest.from_file(str(Path(service.__file__).parents[1] / "page.py"), default_timeout=30).run()
        assert not page.exception
        return page, named_in(page)

    return drawn


def test_a_stranger_sees_a_button_and_nothing_else(draw):
    page, jobs = draw()
    assert [button.label for button in page.button] == ["Log in"]
    assert jobs == set()


def test_a_user_sees_their_own_jobs_and_an_operator_everybody_s(draw):
    assert draw(email="ada@example.com", email_verified=True, sub="1")[1] == {"ada"}
    assert draw(email="olga@example.com", email_verified=True, sub="2")[1] == {"ada", "bob"}


def test_an_address_that_the_provider_has_not_verified_is_nobody_s_name(draw):
    with refusals() as logged:
        page, jobs = draw(email="ada@example.com", email_verified=False, sub="77")
    assert jobs == set()
    assert "77 is not let in" in page.error[0].value
    assert logged


def test_the_name_that_a_provider_gives_formats_nothing(draw):
    page, _ = draw(sub="[x](http://evil.test)")
    assert page.error[0].value.startswith(r"\[x\]\(http\:\/\/evil\.test\) is not let in")


def test_whom_the_operator_does_not_know_is_not_let_in_and_that_is_logged(draw):
    with refusals() as logged:
        page, jobs = draw(email="eve@evil.example", email_verified=True, sub="3")
    assert (jobs, [button.label for button in page.button]) == (set(), ["Log out"])
    assert logged[0]["person"] == "eve@evil.example"


def test_a_name_is_a_verified_address_or_the_provider_s_id():
    assert name_of({"email": "Ada@Example.com", "email_verified": True, "sub": "1"}) == "ada@example.com"
    assert name_of({"email": "ada@example.com", "sub": "1"}) == "1"
    assert name_of({"sub": "1"}) == "1"


@pytest.mark.parametrize(
    ("users", "name", "enters"),
    [
        ("", "anybody", True),
        ("@example.com", "ada@example.com", True),
        ("@example.com", "ada@evil-example.com", False),
        ("@example.com", "ada@example.com.evil", False),
        ("@example.com", "@example.com", True),
        ("ada@example.com", "bob@example.com", False),
        ("example.com", "ada@example.com", False),
    ],
)
def test_only_those_who_are_named_enter(tmp_path, users, name, enters):
    assert settings_with(tmp_path, **LOGIN, login_users=users).may_enter(name) is enters


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  (not bound)
        ("::", False),
        ("192.168.1.7", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_without_a_login_the_page_listens_on_this_machine_alone(tmp_path, host, loopback):
    assert is_loopback(host) is loopback
    settings = settings_with(tmp_path)
    if loopback:
        check_exposure(settings, host)
    else:
        with pytest.raises(SettingsError, match="no login"):
            check_exposure(settings, host)
    check_exposure(settings.model_copy(update={"page_open": True}), host)


def test_a_login_needs_its_package_and_a_secret(tmp_path, monkeypatch):
    settings = settings_with(tmp_path, **LOGIN)
    with monkeypatch.context() as hidden:
        hidden.setitem(sys.modules, "authlib", None)
        with pytest.raises(SettingsError, match="pip install"):
            check_exposure(settings, "example.org")
    check_exposure(settings, "example.org")
    without = settings_with(tmp_path, **{**LOGIN, "link_secret": ""})
    with pytest.raises(SettingsError, match="link_secret"):
        check_exposure(without, "example.org")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"login_client_id": ""}, "login_client_id"),
        ({"login_client_secret": ""}, "login_client_secret"),
        ({"login_metadata_url": "http://id.example/x"}, "https"),
        ({"login_metadata_url": "http://127.0.0.1.evil.example/x"}, "https"),
    ],
)
def test_half_a_login_is_none(tmp_path, changed, fault):
    with pytest.raises(SettingsError, match=fault):
        settings_with(tmp_path, **{**LOGIN, **changed})


def test_streamlit_finds_its_login_in_a_file_for_this_user_alone(tmp_path):
    settings = settings_with(tmp_path, **LOGIN, public_base_url="https://images.example.org")
    path = write_login(settings)
    found = tomllib.loads(path.read_text())["auth"]
    assert path.stat().st_mode & 0o077 == 0
    assert found["redirect_uri"] == "https://images.example.org/oauth2callback"
    assert (found["client_secret"], found["client_id"]) == ("of the tests", "halorow")
    assert found["cookie_secret"] not in {"", "of the tests"}
