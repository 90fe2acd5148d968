"""The part of the page that shows what the pipeline does, and says what it will take."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mpi_stage.errors import StageError
from pipeline.errors import HalorowError
from pipeline.previews.estimate import Estimate
from ui import words
from ui.drafts import state
from ui.images.chosen import Image
from ui.previews import part, wording
from ui.previews.looks import Look, ask_estimates, ask_preview, held, largest, remembered
from ui.service import connection as service

POLL_S = 0.4
_PICK_KEY = "preview_image"
_WHOLE_KEY = "preview_with_page"
_LOOKS = ("preview", "estimate")


def preview_section(images: Sequence[Image]) -> None:
    """Draw the pictures and the plan, once there is an image; what takes longer appears when it is there."""
    if not images or service.settings().preview_processes == 0:
        return
    st.subheader("Preview", anchor=False, divider="gray")
    st.session_state[_WHOLE_KEY] = True
    st.fragment(_section)(list(images))
    st.session_state[_WHOLE_KEY] = False
    if _pending():
        st.fragment(_look_again, run_every=POLL_S)()


def _look_again() -> None:
    """Have the page drawn anew once what it waits for is there."""
    futures = [held(name).future for name in _LOOKS]
    if any(future is not None and future.done() for future in futures):
        st.rerun()


def _pending() -> bool:
    return any(held(name).pending for name in _LOOKS)


def begin_preview(images: Sequence[Image]) -> None:
    """Have the preview made while the rest of the page is drawn."""
    if images and service.settings().preview_processes and state.workbench().fault() is None:
        number = st.session_state.get(_PICK_KEY, 0) if len(images) > 1 else 0
        image = images[min(number or 0, len(images) - 1)]
        ask_preview(held("preview"), image, state.workbench().pipeline.to_json(), part.chosen())


def _section(images: list[Image]) -> None:
    image = _picked(images)
    preview, estimate = held("preview"), held("estimate")
    steps = state.workbench().pipeline.to_json() if state.workbench().fault() is None else None
    status = st.empty()
    if steps is None:
        st.caption("The preview goes on when the pipeline is right again.")
    else:
        ask_preview(preview, image, steps, part.chosen())
        preview.wait(lambda: status.caption(":material/hourglass_top: Making the preview …"))
        status.empty()
    _pictures(preview, steps is None)
    if steps:
        ask_estimates(estimate, largest(images), steps)
        estimate.wait(status.empty)
        _estimates(estimate, largest(images))
    if _pending() and not st.session_state[_WHOLE_KEY]:  # drawn by itself, where nothing looks again
        st.rerun()


def _picked(images: list[Image]) -> Image:
    """Draw the choice of the image that is looked at, where there are several."""
    if len(images) == 1:
        return images[0]
    number = st.selectbox(
        "Image",
        range(len(images)),
        format_func=lambda number: images[number].name,
        label_visibility="collapsed",
        key=_PICK_KEY,
    )
    return images[min(number or 0, len(images) - 1)]


def _pictures(preview: "Look[dict[str, Any]]", stopped: bool) -> None:
    """Draw the pictures that there are, and what is wrong with the pipeline for this image."""
    told = preview.made
    if preview.fault:
        st.warning(f"There is no preview: {words.plain(preview.fault)}", icon=":material/hide_image:")
        return
    if told is None:
        st.caption(":material/hourglass_top: Making the preview …")
        return
    if told["fault"] and not preview.pending:
        st.error(f"This image cannot go through the pipeline: {words.plain(told['fault'])}")
    part.draw(_data(told, stale=preview.pending or stopped))


def _data(told: dict[str, Any], *, stale: bool) -> dict[str, Any]:
    """Return what the browser draws."""
    place = part.chosen()
    crop, result = told["crop"], told["result"]
    same = told["image"]["rows"] == result["rows"] and told["image"]["columns"] == result["columns"]
    return {
        "stale": stale,
        "place": {"across": place.across, "down": place.down},
        "room": place.room_px,
        "window": {
            "width": crop["window"]["columns"] / result["columns"],
            "height": crop["window"]["rows"] / result["rows"],
            "on": ["before", "after"] if same else ["after"],
        },
        "reduced": {"note": wording.reduced_note(told), **_shown(told["reduced"], "the whole picture")},
        "crop": {"note": wording.crop_note(told), **_shown(crop, "a crop at full resolution")},
    }


def _shown(told: dict[str, Any], what: str) -> dict[str, Any]:
    return {
        which: {**remembered(told[which]), "alt": f"{which.capitalize()}: {what}"} if which in told else None
        for which in ("before", "after")
    }


def _estimates(look: "Look[list[Estimate | Exception]]", images: Sequence[Image]) -> None:
    """Say what the largest image will take, and which images will be refused and why."""
    if look.fault:
        st.caption(f"There is no estimate: {words.plain(look.fault)}")
    if look.made is None or look.made_of != look.wanted:
        return
    refused = [
        (image, made) for image, made in zip(images, look.made, strict=True) if isinstance(made, Exception)
    ]
    fine = [
        (image, made) for image, made in zip(images, look.made, strict=True) if isinstance(made, Estimate)
    ]
    for image, error in refused:
        st.warning(f"**{words.plain(image.name)}** would be refused: {words.plain(_words_of(error))}")
    if fine:
        image, made = max(fine, key=lambda one: one[1].core_s)
        settings = service.settings()
        named = f"**{words.plain(image.name)}** takes " if len(images) > 1 else "Takes "
        line = wording.estimate_line(made, settings.core_hour_price, settings.currency)
        st.markdown(f":material/timer: {named}{words.plain(line)}")
        passes = len(made.plan["passes"])
        with _plan_expander(passes):
            st.table(wording.pass_rows(made.plan), hide_index=True)
            st.caption(words.plain(wording.result_line(made.plan)))
            for note in made.plan["notes"]:
                st.caption(words.plain(note))


def _plan_expander(passes: int) -> DeltaGenerator:
    """Draw what holds the plan; it stays open when the section is drawn anew: the server knows of it."""
    label = f"Plan: {passes} {'pass' if passes == 1 else 'passes'}"
    return st.expander(label, key="plan", on_change="rerun")


def _words_of(error: Exception) -> str:
    if isinstance(error, HalorowError | StageError):
        return error.public_message
    return "it cannot be planned just now; try again"
