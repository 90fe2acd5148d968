"""What somebody sees who is new: what the page does, in three steps, and a way to try it."""

import streamlit as st

from pipeline.errors import HalorowError
from ui import words
from ui.drafts import state
from ui.drafts.builder import Pipeline
from ui.images import chosen as images
from ui.service import connection as service

SAMPLE_PIPELINE = "gaussian:sigma=1 sobel invert stretch:low=1,high=99"
"""Its effect is seen at a glance."""

_STEPS = (
    (
        ":material/add_photo_alternate:",
        "Add images",
        "Drop files of any size, or pick some of the store.",
    ),
    (
        ":material/tune:",
        "Build a pipeline",
        "Search operations and set them; the preview shows it.",
    ),
    (":material/play_arrow:", "Run", "Each image becomes a job. Results are compared and downloaded here."),
)


def welcome() -> None:
    """Draw the three steps while there is neither an image nor a pipeline; small for who has jobs already."""
    if state.workbench().pipeline.drafts:
        return
    with st.expander("How it works", icon=":material/lightbulb:", expanded=not _has_jobs(), key="welcome"):
        for number, (icon, title, text) in enumerate(_STEPS, 1):
            st.markdown(f"{icon} **{number} · {title}**  \n{text}")
        st.button(
            "Try it with a sample image", icon=":material/local_cafe:", key="try_sample", on_click=_try_sample
        )


def _try_sample() -> None:
    try:
        images.pick_sample()
    except HalorowError as error:
        state.flash(words.plain(error.public_message))
        return
    state.workbench().keep(Pipeline().rewritten(SAMPLE_PIPELINE))


def _has_jobs() -> bool:
    try:
        return bool(service.client().jobs(limit=1))
    except HalorowError:
        return True
