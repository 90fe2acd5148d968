"""Who reaches the page: where it listens, whether it answers, what Streamlit needs to know of the login."""

import hashlib
import hmac
import http.client
import ipaddress
from pathlib import Path

from pipeline.config import Settings
from pipeline.errors import SettingsError
from pipeline.extras import lack_of
from pipeline.settings.connection_file import toml_line
from pipeline.settings.private_files import write_private

FILE_NAME = "login.toml"
ANSWER_S = 5.0


def check_exposure(settings: Settings, host: str) -> None:
    """Refuse to serve the page to strangers: beyond this machine it asks who somebody is.

    Raises SettingsError.
    """
    if settings.has_login:
        lack = lack_of("authlib", "a page that asks people who they are")
        if lack is not None:
            raise SettingsError(f"login_metadata_url: {lack}, or leave the login out")
        if not settings.link_secret.get_secret_value():
            raise SettingsError("link_secret: a login needs it, since it signs the cookies as well; set it")
        return
    if not is_loopback(host) and not settings.page_open:
        raise SettingsError(
            f"page_host: {host} can be reached from other machines, and the page has no login: anybody there"
            " could do everything. Set login_metadata_url and what goes with it, or listen on 127.0.0.1; with"
            " page_open the page is open to all"
        )


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def page_answers(port: int, host: str = "127.0.0.1", *, timeout_s: float = ANSWER_S) -> bool:
    """Whether the page answers on a port, by default of this machine, that it is alive."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def write_login(settings: Settings) -> Path:
    """Write what Streamlit needs for its login into a file for this user alone; return its path."""
    secret = settings.link_secret.get_secret_value().encode()
    values = {
        "redirect_uri": f"{settings.base_url}/oauth2callback",
        "cookie_secret": hmac.new(secret, b"halorow-cookie-1", hashlib.sha256).hexdigest(),
        "client_id": settings.login_client_id,
        "client_secret": settings.login_client_secret.get_secret_value(),
        "server_metadata_url": settings.login_metadata_url,
    }
    path = settings.data_dir / FILE_NAME
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, "[auth]\n" + "".join(toml_line(*one) for one in values.items()))
    return path
