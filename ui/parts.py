"""Parts of the page that run in the browser: their files, which are shipped with the package."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

STATIC = Path(__file__).with_name("static")


def part(name: str, *, isolated: bool = True) -> ComponentRenderer:
    """Return what mounts the part whose files in ``static`` have this name, and are ours.

    ``isolated`` keeps its styles and the page's apart, in a shadow root.
    """
    html, css, js = ((STATIC / f"{name}.{kind}").read_text() for kind in ("html", "css", "js"))
    return st.components.v2.component(f"halorow_{name}", html=html, css=css, js=js, isolate_styles=isolated)
