"""Ways from one page to another that are no entries of the menu."""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_PAGES = "pages_of_this_visit"


def lead_to(pages: Mapping[str, StreamlitPage]) -> None:
    """Have ``go`` lead to these pages, by their paths, from now on in this visit."""
    st.session_state[_PAGES] = dict(pages)


def go(path: str, **query: str) -> None:
    """Leave for the page with this path, the first one's being empty, and these values in its address."""
    st.switch_page(st.session_state[_PAGES][path], query_params=query)
