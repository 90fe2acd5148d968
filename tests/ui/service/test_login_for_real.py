"""The page's process and a provider of OpenID Connect, and a browser that goes from one to the other."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

pytest.importorskip("authlib", reason="a login needs the package Authlib")
pytest.importorskip("joserfc", reason="the provider of the tests signs with joserfc, which Authlib brings")

from fakes.oidc import provider
from joserfc import jwt
from joserfc.jwk import OctKey
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from pipeline.access.page_access import write_login
from pipeline.config import Settings
from ui.service.login import name_of

START_S = 60
COOKIE = "_streamlit_user"


@pytest.fixture(scope="module")
def identities():
    with provider("halorow") as made:
        yield made


@pytest.fixture(scope="module")
def settings(identities, redis_server, tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings.load(
        find_service=False,
        data_dir=tmp_path_factory.mktemp("login"),
        redis_url=redis_server.url,
        link_secret="of the tests",  # noqa: S106  (a test's)
        page_port=port,
        login_metadata_url=identities.metadata_url,
        login_client_id="halorow",
        login_client_secret="of the tests",  # noqa: S106  (a test's)
    )


@pytest.fixture(scope="module")
def page(settings):
    """Run the page; give its address."""
    names = ("redis_url", "link_secret", "login_client_secret")
    given = {f"HALOROW_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    given["HALOROW_LOGIN_METADATA_URL"] = settings.login_metadata_url
    given |= {"HALOROW_LOGIN_CLIENT_ID": "halorow", "HALOROW_DATA_DIR": str(settings.data_dir)}
    given |= {"HALOROW_PAGE_PORT": str(settings.page_port), "HALOROW_STORE_URI": settings.store_uri}
    with (settings.data_dir / "page.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ui.serve"], env={**os.environ, **given}, stdout=log, stderr=log
        )
    deadline = time.monotonic() + START_S
    with httpx.Client() as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                http.get(f"{settings.base_url}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.1)  # nothing tells from outside when a server listens
    yield settings.base_url
    process.send_signal(signal.SIGTERM)
    process.wait(START_S)


def log_in(page, settings):
    """Follow the way of a browser from the button to the page; return the cookies that it has by then."""
    secret = cookie_secret(settings)
    payload = {"provider": "default", "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "HS256"}, payload, OctKey.import_key(secret))
    with httpx.Client(follow_redirects=True) as browser:
        answer = browser.get(f"{page}/auth/login", params={"provider": token})
        assert str(answer.url).rstrip("/") == page
        return dict(browser.cookies)


def cookie_secret(settings):
    line = next(one for one in write_login(settings).read_text().splitlines() if "cookie_secret" in one)
    return json.loads(line.partition(" = ")[2])


def test_who_logs_in_comes_back_with_a_signed_name(page, settings, identities):
    identities.claims = {"sub": "1", "email": "ada@example.com", "email_verified": True}
    cookies = log_in(page, settings)
    claims = json.loads(decode_signed_value(cookie_secret(settings), COOKIE, cookies[COOKIE].strip('"')))
    assert name_of(claims) == "ada@example.com"


def test_who_is_not_vouched_for_comes_back_without(page, settings, identities):
    identities.claims = {"sub": "1", "iss": "https://evil.example"}
    assert COOKIE not in log_in(page, settings)
