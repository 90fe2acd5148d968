"""Parts of the page that run in the browser. What one is made of lies in a folder of its own."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.shipped import ROOT, address

_LOADER = """\
const {{ default: part }} = await import(new URL("{address}", location.origin));
export default part;
"""


def part(folder: str, *, isolated: bool = True) -> ComponentRenderer:
    """Return what mounts the part in a folder, which is named by its path below the package.

    It has ``part.js``, which may import others beside it, and perhaps ``part.html`` and ``part.css``.
    Streamlit sends a part's script with every drawing; this one is short, and browsers load the rest once.
    ``isolated`` keeps its styles and the page's apart, in a shadow root.
    """
    return st.components.v2.component(
        f"halorow_{folder.replace('/', '_')}",
        html=_text(ROOT / folder / "part.html"),
        css=_text(ROOT / folder / "part.css"),
        js=_LOADER.format(address=address(f"{folder}/part.js")),
        isolate_styles=isolated,
    )


def listened() -> None:
    """Say that a state of a part is listened to; the page is drawn anew in any case."""


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None
