"""The part of the page that follows the jobs, redrawn by itself."""

import html
from functools import partial

import streamlit as st

from mpi_stage.errors import StageError
from pipeline.errors import HalorowError
from pipeline.models import JobStatus, now
from ui import service, state, words
from ui.compare import compare
from ui.jobs_view import JobCard, card, summary

REDRAW_S = 1.0
_PAGE = 10
_SHOWN_KEY = "jobs_shown"
_LINK_LIFE_S = 24 * 3600
_LINK_KEPT_S = 3600


@st.fragment(run_every=REDRAW_S)
def jobs_section() -> None:
    """Draw the jobs, newest first, with what can be done with each."""
    shown = st.session_state.setdefault(_SHOWN_KEY, _PAGE)
    st.subheader("Jobs", anchor=False, divider="gray")
    try:
        statuses = service.client().jobs(limit=shown + 1)
    except HalorowError as error:
        st.warning(f"The jobs cannot be shown just now: {words.plain(error.public_message)}")
        return
    for text in state.flashes():
        st.toast(text)
    if not statuses:
        st.info("No jobs yet. Add images and a pipeline, and press Run.", icon=":material/image:")
        return
    st.caption(summary(statuses[:shown]))
    for status in statuses[:shown]:
        _job(status)
    if len(statuses) > shown:
        st.button("Show more", on_click=_show_more, type="tertiary", key="show_more")


def _show_more() -> None:
    st.session_state[_SHOWN_KEY] += _PAGE


def _job(status: JobStatus) -> None:
    """Draw one job."""
    view = card(status, now())
    with st.container(border=True, key=f"job_{view.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{words.plain(view.title)}**", width="stretch")
            _action(view)
            st.badge(view.badge.label, icon=view.badge.icon, color=view.badge.colour)  # type: ignore[arg-type]  # from _BADGES
        st.caption(" · ".join(part for part in (words.plain(view.pipeline), view.note) if part))
        if view.is_moving:
            st.progress(view.fraction, text=view.progress)
        if view.ranks:
            st.html(rank_strip(view))
        if view.trouble:
            parts = (f"**{view.trouble.title}.**", words.plain(view.trouble.message), view.trouble.advice)
            st.error("  \n".join(part for part in parts if part))
        if view.has_result:
            opened = st.expander(
                "Before and after", key=f"compare_{view.id}", icon=":material/compare:", on_change="rerun"
            )
            if opened.open:
                with opened:
                    compare(view.id)


def rank_strip(view: JobCard) -> str:
    """Return HTML of a row of small bars, one per rank, each with its numbers as a tooltip."""
    bars = "".join(
        f'<div title="{html.escape(bar.words)}" data-rank="{bar.rank}" style="flex:1;height:6px;'
        'border-radius:3px;overflow:hidden;background:rgba(128,128,128,.25)">'
        f'<div style="height:100%;width:{bar.fraction:.1%};background:#14b8a6"></div></div>'
        for bar in view.ranks
    )
    label = html.escape(words.count(len(view.ranks), "rank"))
    return (
        '<div style="display:flex;gap:4px;align-items:center" data-testid="ranks">'
        f'<span style="font-size:.8rem;opacity:.7;margin-right:4px">{label}</span>{bars}</div>'
    )


def _action(view: JobCard) -> None:
    """Draw the one button that suits the job's state."""
    job = view.id
    if view.has_result:
        _download(view)
    elif view.can_cancel:
        st.button("Cancel", icon=":material/close:", key=f"cancel_{job}", on_click=partial(_cancel, job))
    elif view.can_retry:
        st.button("Retry", icon=":material/replay:", key=f"retry_{job}", on_click=partial(_retry, job))


def _download(view: JobCard) -> None:
    """Draw the signed link to the result."""
    try:
        st.link_button(
            "Download", link(view.id, service.user()), icon=":material/download:", key=f"download_{view.id}"
        )
    except HalorowError as error:
        st.caption(f"No link just now: {words.plain(error.public_message)}")


@st.cache_data(ttl=_LINK_KEPT_S, max_entries=1000, show_spinner=False)
def link(job_id: str, user: str) -> str:  # noqa: ARG001  (what one may see another may not)
    """Return a link to a job's result that holds for at least a day less an hour."""
    return service.client().link(job_id, life_s=_LINK_LIFE_S)


def _cancel(job_id: str) -> None:
    try:
        service.client().cancel(job_id)
    except (HalorowError, StageError) as error:
        state.flash(words.plain(error.public_message))


def _retry(job_id: str) -> None:
    try:
        service.client().retry(job_id)
    except (HalorowError, StageError) as error:
        state.flash(words.plain(error.public_message))
