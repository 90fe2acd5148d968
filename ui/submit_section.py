"""The part of the page where images are uploaded and jobs submitted."""

import uuid
from collections.abc import Sequence
from typing import Protocol

import streamlit as st

from mpi_stage.errors import StageError
from pipeline.errors import HalorowError
from ui import service, state, words

IMAGE_TYPES = ["tif", "tiff", "png", "jpg", "jpeg", "webp", "avif", "bmp"]


class Upload(Protocol):
    """A file that the browser has sent."""

    name: str

    def getvalue(self) -> bytes:
        """Return its bytes."""


def images_section() -> Sequence[Upload]:
    """Draw the place to drop files; return those that are there."""
    st.subheader("Images", anchor=False, divider="gray")
    return st.file_uploader(
        "Images",
        type=IMAGE_TYPES,
        accept_multiple_files=True,
        label_visibility="collapsed",
        help="Larger files go in by `halorow submit`.",
        key="images",
    )


def run_section(uploads: Sequence[Upload]) -> None:
    """Draw the button that submits a job for every image, and say what is still missing."""
    ready = bool(uploads) and bool(state.pipeline().drafts) and state.fault() is None
    label = f"Run on {words.count(len(uploads), 'image')}" if uploads else "Run"
    clicked = st.button(
        label, type="primary", icon=":material/play_arrow:", disabled=not ready, width="stretch", key="run"
    )
    if clicked:
        _submit(uploads)
    elif not uploads:
        st.caption("Add one or more images.")
    elif not state.pipeline().drafts:
        st.caption("Add at least one operation.")


def _submit(uploads: Sequence[Upload]) -> None:
    """Submit a job for each image; one that is refused does not keep the others."""
    steps = state.pipeline().to_json()
    batch = uuid.uuid4().hex[:12]
    accepted = 0
    for upload in uploads:
        try:
            service.client().submit_bytes(upload.getvalue(), upload.name, steps, batch=batch)
        except (HalorowError, StageError) as error:
            st.error(f"**{words.plain(upload.name)}** · {words.plain(error.public_message)}")
        else:
            accepted += 1
    if accepted:
        st.toast(f"{words.count(accepted, 'job')} submitted", icon=":material/check:")
