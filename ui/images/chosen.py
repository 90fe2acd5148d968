"""The images that a visitor has on the page: uploaded, or picked where they lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from pipeline.desks.browse import Found
from pipeline.errors import ObjectNotFoundError
from ui.service import connection as service

_UPLOADED_KEY = "images_uploaded"
_GONE_KEY = "images_gone"
_PICKED_KEY = "images_picked"
_SAMPLE_KEY = "images_sample"


@dataclass(frozen=True)
class Image:
    """An image that can be the input of a job: its name, its URI, and its size."""

    name: str
    uri: str
    size_bytes: int


def uploaded(ids: Sequence[str]) -> list[Image]:
    """Return the uploads of these ids that are whole and of the visitor; the others are noted as gone.

    The browser names the ids, and can name any: the service has the word. Raises HalorowError where it
    cannot be reached.
    """
    known: dict[str, Image] = st.session_state.setdefault(_UPLOADED_KEY, {})
    missing: list[str] = st.session_state.setdefault(_GONE_KEY, [])
    for upload_id in ids:
        if upload_id in known or upload_id in missing:
            continue
        uploads = service.client().uploads()
        try:
            upload = uploads.find(upload_id)
            whole = uploads.progress(upload).finished
        except ObjectNotFoundError:
            whole = False
        if whole:
            known[upload_id] = Image(upload.name, uploads.uri(upload), upload.size_bytes)
        else:
            missing.append(upload_id)
    return [known[upload_id] for upload_id in ids if upload_id in known]


def gone() -> list[str]:
    """Return the ids that the browser has named and that are no uploads."""
    missing: list[str] = st.session_state.get(_GONE_KEY, [])
    return missing


def picked() -> list[Image]:
    """Return the images that were picked where they lie, in the order of picking."""
    held: list[Image] = st.session_state.setdefault(_PICKED_KEY, [])
    return held


def pick(found: Iterable[Found]) -> None:
    """Add images, each once."""
    present = {image.uri for image in picked()}
    fresh = [Image(one.name, one.uri, one.size_bytes) for one in found if one.uri not in present]
    st.session_state[_PICKED_KEY] = [*picked(), *fresh]


def unpick(uri: str | None = None) -> None:
    """Take a picked image away, all of them if none is named."""
    st.session_state[_PICKED_KEY] = [image for image in picked() if uri is not None and image.uri != uri]


def pick_sample() -> None:
    """Add the photograph that comes along; asked for again, it is the same one.

    Raises HalorowError where the store does not take it.
    """
    if _SAMPLE_KEY not in st.session_state:
        uploads = service.client().uploads()
        upload = uploads.sample()
        st.session_state[_SAMPLE_KEY] = Found(uploads.uri(upload), upload.name, upload.size_bytes)
    pick([st.session_state[_SAMPLE_KEY]])
