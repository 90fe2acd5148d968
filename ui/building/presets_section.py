"""Presets to load, save, share and delete, and the pipeline as a link."""

from functools import partial
from urllib.parse import quote

import streamlit as st

from mpi_stage.errors import StageError
from mpi_stage.operations.spelling.presets import PRESETS
from pipeline.desks.presets import MOST_PRESETS, Preset
from pipeline.errors import HalorowError
from ui import words
from ui.drafts import state
from ui.drafts.builder import Pipeline
from ui.service import connection as service

LONGEST_LINK = 2000
"""Longer addresses do not arrive whole everywhere."""

_OPEN_KEY = "presets"
_LOAD_KEY, _NAME_KEY, _SHARE_KEY, _SAID_KEY = "preset_load", "preset_name", "preset_share", "preset_said"


def presets_button() -> None:
    """Draw the button behind which presets are loaded, saved and deleted."""
    popover = st.popover(
        "Presets", icon=":material/bookmarks:", type="tertiary", key=_OPEN_KEY, on_change="rerun"
    )
    if not popover.open:  # the store is asked for them when they are wanted alone
        return
    with popover:
        try:
            mine, shared = service.client().presets().mine(), service.client().presets().shared()
        except HalorowError as error:
            st.error(words.plain(error.public_message))
            return
        _load(mine, shared)
        _save(mine)
        _delete(mine)


def link_button() -> None:
    """Draw the button behind which the pipeline is an address to be copied."""
    with st.popover("Link", icon=":material/link:", type="tertiary", key="link"):
        if not state.workbench().pipeline.active:
            st.caption("An empty pipeline has no link.")
            return
        link = link_to(service.settings().base_url, state.workbench().pipeline.to_text())
        if len(link) > LONGEST_LINK:
            st.warning(
                f"This pipeline makes an address of {len(link):,} characters, and some programs cut those of"
                f" over {LONGEST_LINK:,}. Save it as a preset that everybody sees instead."
            )
            return
        st.caption("Whoever opens this address begins with this pipeline.")
        st.code(link, language=None, wrap_lines=True)


def link_to(base_url: str, text: str) -> str:
    """Return the address of the page with a pipeline in it."""
    return f"{base_url}/?{state.LINKED}={quote(text, safe=':=,')}"


def _load(mine: list[Preset], shared: list[Preset]) -> None:
    """Draw the choice of a preset, which takes the pipeline's place."""
    texts = {f"{preset.label} · comes along": preset.text for preset in PRESETS}
    for preset in mine:
        texts[f"{preset.name} · {'yours, shared' if preset.shared else 'yours'}"] = _text_of(preset)
    for preset in shared:
        texts[f"{preset.name} · by {preset.owner}"] = _text_of(preset)
    st.selectbox(
        "Load",
        list(texts),
        index=None,
        placeholder="Type to search",
        key=_LOAD_KEY,
        on_change=_take,
        args=(texts,),
        help="Takes the place of the pipeline that is there; Undo brings that back.",
    )


def _text_of(preset: Preset) -> str:
    """Return the shortest text of a preset; as it is where the catalogue no longer has it so."""
    try:
        return Pipeline().rewritten(preset.text).to_text()
    except StageError:
        return " ".join(str(step.get("op")) for step in preset.steps)


def _take(texts: dict[str, str]) -> None:
    """Load the chosen preset, and be ready for the next choice."""
    chosen = st.session_state[_LOAD_KEY]
    st.session_state[_LOAD_KEY] = None
    if chosen is None:
        return
    try:
        state.workbench().keep(state.workbench().pipeline.emptied().rewritten(texts[chosen]))
    except StageError as error:
        st.session_state[_SAID_KEY] = error.public_message


def _save(mine: list[Preset]) -> None:
    """Draw the form by which the pipeline is saved under a name."""
    ready = bool(state.workbench().pipeline.active) and state.workbench().fault() is None
    with st.form("preset_form", border=False):
        st.text_input(
            "Save this pipeline as", key=_NAME_KEY, max_chars=40, placeholder="A name", disabled=not ready
        )
        st.toggle("Everybody sees it", key=_SHARE_KEY, disabled=not ready)
        st.form_submit_button("Save", icon=":material/bookmark_add:", disabled=not ready, on_click=_keep)
    said = st.session_state.pop(_SAID_KEY, None)
    if said:
        st.error(words.plain(said))
    elif not ready:
        st.caption("A pipeline can be saved when it has steps and nothing is wrong with it.")
    st.caption(f"{len(mine)} of {MOST_PRESETS} saved. One of the same name is replaced.")


def _keep() -> None:
    name, shared = st.session_state[_NAME_KEY], bool(st.session_state[_SHARE_KEY])
    try:
        saved = service.client().presets().save(name, state.workbench().pipeline.to_json(), shared=shared)
    except (HalorowError, StageError) as error:
        st.session_state[_SAID_KEY] = error.public_message
    else:
        st.session_state[_NAME_KEY] = ""
        st.toast(f"Saved as {words.plain(saved.name)}", icon=":material/check:")


def _delete(mine: list[Preset]) -> None:
    """Draw the user's own presets, each with a button that deletes it."""
    if not mine:
        return
    with st.expander("Delete"):
        for number, preset in enumerate(mine):
            st.button(
                f"Delete {words.plain(preset.name)}",
                icon=":material/delete:",
                type="tertiary",
                key=f"preset_delete_{number}_{preset.name}",
                on_click=partial(_remove, preset.name),
            )


def _remove(name: str) -> None:
    try:
        service.client().presets().delete(name)
    except HalorowError as error:
        st.session_state[_SAID_KEY] = error.public_message
