"""Ways from one page to another that are no entries of the menu."""

import streamlit as st


def go(path: str, **query: str) -> None:
    """Leave for the page with this path, the first one's being empty, and these values in its address."""
    from ui.pages import PAGES  # noqa: PLC0415  (pages are made of what leads from one to another)

    page = next(one for one in PAGES if one.path == path)
    known = st.Page(page.draw, title=page.title, icon=page.icon, url_path=path, default=not path)
    st.switch_page(known, query_params=query)
