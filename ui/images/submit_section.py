"""The part of the page where images are uploaded or picked, and jobs submitted."""

import uuid
from collections.abc import Sequence
from typing import Any

import streamlit as st

from mpi_stage.errors import StageError
from pipeline.errors import HalorowError
from ui import words
from ui.drafts import state
from ui.images import chosen as images
from ui.images.chosen import Image
from ui.images.pickers import IMAGE_TYPES, picked_images, pickers
from ui.service import connection as service
from ui.uploads.part import uploads_part

_HINT = "TIFF, PNG, JPEG, WebP, AVIF, BMP; files of any size, many at once"
_SENDING_KEY = "images_sending"


def images_section() -> list[Image]:
    """Draw the place to drop files, and the ways to images that need no upload; return those there are."""
    st.subheader("Images", anchor=False, divider="gray")
    arrived = uploads_part(IMAGE_TYPES, _HINT, images.gone())
    st.session_state[_SENDING_KEY] = arrived.sending
    pickers()
    picked_images()
    try:
        return [*images.uploaded(arrived.ids), *images.picked()]
    except HalorowError as error:
        st.warning(f"The uploads cannot be looked at just now: {words.plain(error.public_message)}")
        return images.picked()


def run_section(chosen: Sequence[Image]) -> None:
    """Draw the button that submits a job for every image, and say what is still missing."""
    bench = state.workbench()
    ready = bool(chosen) and bool(bench.pipeline.active) and bench.fault() is None
    label = f"Run on {words.count(len(chosen), 'image')}" if chosen else "Run"
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        disabled=not ready,
        width="stretch",
        key="run",
        on_click=bench.ask_to_run,
    )
    sending = st.session_state.get(_SENDING_KEY, 0)
    if bench.take_request_to_run() and ready:
        _submit(chosen, bench.pipeline.to_json())
    elif sending:
        st.caption(
            f"{words.count(sending, 'image')} still on the way: run when they are there, or without them."
        )
    elif not chosen:
        st.caption("Add one or more images.")
    elif not bench.pipeline.active:
        st.caption("Add at least one operation.")


def _submit(chosen: Sequence[Image], steps: list[dict[str, Any]]) -> None:
    """Submit a job for each image; one that is refused does not keep the others.

    Nothing is drawn before all are submitted: there Streamlit may break this off.
    """
    batch = uuid.uuid4().hex[:12]
    refused = []
    for image in chosen:
        try:
            service.client().submit(image.uri, steps, input_name=image.name, batch=batch)
        except (HalorowError, StageError) as error:
            refused.append(f"**{words.plain(image.name)}** · {words.plain(error.public_message)}")
    for sentence in refused:
        st.error(sentence)
    accepted = len(chosen) - len(refused)
    if accepted:
        st.toast(f"{words.count(accepted, 'job')} submitted", icon=":material/check:")
