"""Who looks at the page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipeline.access.refusals import log_refusal
from pipeline.config import Settings
from pipeline.errors import HalorowError
from ui import words


class StrangerError(HalorowError):
    """Raised for somebody whom the provider knows and the operators do not."""


def visitor(settings: Settings) -> str | None:
    """Return the name of who has logged in, None where there is no login to be made.

    Where somebody has yet to do so, draws the button for it, and nothing else.
    """
    if not settings.has_login:
        return None
    if not st.user.is_logged_in:
        st.title("halorow", anchor=False)
        st.button("Log in", type="primary", icon=":material/login:", on_click=st.login, key="log_in")
        st.stop()
    name = name_of(st.user.to_dict())
    if not settings.may_enter(name):
        log_refusal("page", StrangerError(f"{name} is not one of login_users"), person=name)
        st.error(f"{words.plain(name)} is not let in here. Ask the operator, or log in as somebody else.")
        st.button("Log out", on_click=st.logout, key="log_out")
        st.stop()
    return name


def name_of(claims: Mapping[str, Any]) -> str:
    """Return the name that the provider vouches for: a verified mail address, else its own id of somebody."""
    if claims.get("email") and claims.get("email_verified") is True:
        return str(claims["email"]).lower()
    return str(claims["sub"])


def greeting(settings: Settings) -> None:
    """Draw who has logged in, and the way out."""
    name = visitor(settings)
    if name is not None:
        st.caption(f"{words.plain(name)} · {settings.person(name).role.value}", width="content")
        st.button("Log out", type="tertiary", on_click=st.logout, key="log_out")
