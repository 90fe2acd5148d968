"""Images that need no upload: below a place of a store or bucket, results of jobs, and a sample."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from pipeline.desks.browse import Found
from pipeline.errors import HalorowError
from ui import words
from ui.drafts import state
from ui.images import chosen as images
from ui.service import connection as service

IMAGE_TYPES = ["tif", "tiff", "png", "jpg", "jpeg", "webp", "avif", "bmp"]

_SHOWN = 8
_RESULTS = 100
_PLACE_KEY, _BELOW_KEY, _MADE_KEY = "pick_place", "pick_below", "pick_made"


def pickers() -> None:
    """Draw the buttons that lead to images that are there already."""
    with st.container(horizontal=True, gap="small"):
        _opened("From the store", ":material/folder_open:", "pick_store", _from_store)
        _opened("From results", ":material/history:", "pick_results", _from_results)
        st.button("Sample image", icon=":material/local_cafe:", key="sample", on_click=_sample)


def _opened(label: str, icon: str, key: str, draw: Callable[[], None]) -> None:
    """Draw a button that opens what is only looked up when it is open."""
    popover = st.popover(label, icon=icon, key=key, on_change="rerun")
    if popover.open:
        with popover:
            draw()


def picked_images() -> None:
    """Draw the images that were picked, each with a button that takes it away."""
    held = images.picked()
    for place, image in enumerate(held[:_SHOWN]):
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key=f"picked_{place}", height="content"
        ):
            st.markdown(f":material/image: {words.plain(image.name)}", width="stretch")
            st.caption(words.size(image.size_bytes), width="content")
            st.button(
                f"Remove {words.plain(image.name)}",
                icon=":material/close:",
                type="tertiary",
                key=f"unpick_{place}",
                on_click=partial(images.unpick, image.uri),
            )
    if len(held) > _SHOWN:
        st.caption(f"and {words.count(len(held) - _SHOWN, 'further image')}")
    if len(held) > 1:
        st.button("Remove all that were picked", type="tertiary", key="clear_picked", on_click=images.unpick)


def _from_store() -> None:
    """Draw the choice of a place, of the images below it, and the button that takes them."""
    try:
        places = service.client().places()
        place = st.text_input(
            "Images whose addresses begin with",
            places[0] if places else "",
            help="A folder of the store, or `gs://bucket/prefix`.",
            key=_PLACE_KEY,
        )
        if len(places) > 1:
            st.caption(f"You may read below {', '.join(words.plain(one) for one in places)}.")
        if not place:
            return
        listing = service.client().images_below(place, [f".{kind}" for kind in IMAGE_TYPES])
    except HalorowError as error:
        st.error(words.plain(error.public_message))
        return
    if not listing.found:
        st.info("There are no images whose addresses begin so.", icon=":material/search_off:")
        return
    if listing.more:
        st.caption(
            f"The first {words.count(len(listing.found), 'image')}. Write more of the address for others."
        )
    _choice(
        {one.uri: (one, f"{one.name} · {words.size(one.size_bytes)}") for one in listing.found}, _BELOW_KEY
    )


def _from_results() -> None:
    """Draw the choice of results that jobs have made, and the button that takes them."""
    try:
        made = service.client().results(limit=_RESULTS)
    except HalorowError as error:
        st.error(words.plain(error.public_message))
        return
    if not made:
        st.info("No job has a result yet.", icon=":material/image:")
        return
    labels = {
        found.uri: (found, f"{found.name} · {status.pipeline} · {words.size(found.size_bytes)}")
        for status, found in made
    }
    _choice(labels, _MADE_KEY)


def _choice(labels: dict[str, tuple[Found, str]], key: str) -> None:
    """Draw a list to choose from, and the buttons that take what was chosen, or all."""
    chosen = st.multiselect(
        "Images",
        list(labels),
        format_func=lambda uri: labels[uri][1],
        placeholder="Type to search",
        key=key,
    )
    wanted = [labels[uri][0] for uri in chosen]
    with st.container(horizontal=True, gap="small"):
        st.button(
            f"Add {words.count(len(wanted), 'image')}" if wanted else "Add",
            type="primary",
            disabled=not wanted,
            key=f"{key}_add",
            on_click=partial(_take, wanted, key),
        )
        if len(labels) > 1:
            every = [found for found, _ in labels.values()]
            st.button(f"Add all {len(every)}", key=f"{key}_all", on_click=partial(_take, every, key))


def _take(found: list[Found], key: str) -> None:
    images.pick(found)
    st.session_state[key] = []


def _sample() -> None:
    try:
        images.pick_sample()
    except HalorowError as error:
        state.flash(words.plain(error.public_message))
