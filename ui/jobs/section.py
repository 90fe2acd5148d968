"""The part of the page that follows the jobs: a list that the browser brings up to date by itself."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from mpi_stage.errors import StageError
from pipeline.errors import HalorowError
from ui import words
from ui.drafts import state
from ui.following.book import Asked
from ui.following.view import STATES
from ui.jobs.again import take_over
from ui.parts import part
from ui.routes.live import with_downloads
from ui.service import connection as service
from ui.service.tickets import path_for, ticket
from ui.ways import go

JOBS_PATH = "jobs"
"""The path of the page of jobs, which is that of one job where its address names it."""

EVERY_MS = 1000
"""So often a browser asks for what has changed."""

_FEW, _MANY = 10, 30
_KEY = "jobs_list"
_LEAVE_KEY = "jobs_leave"
_ACTED_KEY = "jobs_acted"
_MOST_ACTED = 20
_list = part("jobs/list")


def one_job(job_id: str) -> None:
    """Draw the card of one job, and nothing else."""
    _jobs(job_id=job_id)


def jobs_section(*, full: bool = False) -> None:
    """Draw the jobs, newest first, with what can be done with each; ``full`` where there is much room."""
    st.subheader("Jobs", anchor=False, divider="gray")
    _jobs(full=full)


@st.fragment
def _jobs(*, full: bool = False, job_id: str = "") -> None:
    """Draw the list, or the one job of it; drawn anew when somebody does something with it."""
    chosen, verb = st.session_state.pop(_LEAVE_KEY, ("", ""))
    if verb == "open":
        go(JOBS_PATH, job=chosen)
    elif verb == "again":
        go("")
    for text in state.flashes():
        st.toast(text)
    viewer = service.viewer()
    asked = Asked(text=job_id, most=1) if job_id else _asked(full=full)
    try:
        seen = with_downloads(service.link_secret(), viewer, service.feed().look(viewer, asked))
    except HalorowError as error:
        seen = None
        st.warning(f"The jobs cannot be shown just now: {words.plain(error.public_message)}")
    told = {**_data(viewer, asked, seen), "single": bool(job_id)}
    key = f"{_KEY}_{job_id}"  # another part of the browser's than the list, whose choices are of no use here
    act, ask = partial(_act, key), partial(_ask, key)
    _list(key=key, data=told, on_act_change=act, on_asked_change=ask, on_stale_change=ask)


def _data(viewer: str, asked: Asked, seen: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the browser is told."""
    path = path_for(viewer, "live/jobs")
    return {
        "feed": f"/{path}",
        "ticket": ticket(service.link_secret(), path),
        "asked": {"state": asked.state, "text": asked.text},
        "states": list(STATES),
        "page": asked.most,
        "every_ms": EVERY_MS,
        "job_page": f"/{JOBS_PATH}",
        "everybody": service.settings().has_login and service.is_operator(),
        "endless": asked.most == _MANY,
        "acted": st.session_state.get(_ACTED_KEY, []),
        "seen": seen,
    }


def _asked(*, full: bool) -> Asked:
    """Return what the address asks for, so that a reload shows the same."""
    query = st.query_params
    return Asked(query.get("state", ""), query.get("find", ""), _MANY if full else _FEW)


def _told(key: str, name: str) -> Any:  # noqa: ANN401  (any JSON, from a browser)
    held = st.session_state.get(key)
    return held.get(name) if held is not None else None


def _ask(key: str) -> None:
    """Keep in the address what the visitor has chosen to see."""
    asked = _told(key, "asked")
    if not isinstance(asked, dict):
        return
    for name, given in (("state", asked.get("state")), ("find", asked.get("text"))):
        if given:
            st.query_params[name] = str(given)
        elif name in st.query_params:
            del st.query_params[name]


def _act(key: str) -> None:
    """Do what a button of a card is for, once for each press.

    Streamlit breaks a callback off where the whole page is to be drawn: what was not noted as done is told
    again by the browser.
    """
    act = _told(key, "act")
    acted: list[str] = st.session_state.get(_ACTED_KEY, [])
    if not isinstance(act, dict) or str(act.get("number")) in acted:
        return
    carry_out(str(act.get("verb")), str(act.get("id")))
    st.session_state[_ACTED_KEY] = [*acted, str(act.get("number"))][-_MOST_ACTED:]


def carry_out(verb: str, job_id: str) -> None:
    """Do something with a job, and say what came of it at the next drawing."""
    if verb == "open":
        st.session_state[_LEAVE_KEY] = (job_id, verb)
        return
    do = _VERBS.get(verb)
    if do is None:
        return
    try:
        state.flash(do(job_id))
        if verb == "again":
            st.session_state[_LEAVE_KEY] = (job_id, verb)
        else:
            service.feed().refresh(service.viewer())
    except (HalorowError, StageError) as error:
        state.flash(words.plain(error.public_message))


def _cancel(job_id: str) -> str:
    return f"{words.plain(service.client().cancel(job_id).input_name)} is being cancelled."


def _retry(job_id: str) -> str:
    return f"{words.plain(service.client().retry(job_id).input_name)} is tried again."


def _delete(job_id: str) -> str:
    name = service.client().manifest(job_id).input_name
    service.client().delete(job_id)
    return f"The job for {words.plain(name)} is deleted."


_VERBS: dict[str, Callable[[str], str]] = {
    "cancel": _cancel,
    "retry": _retry,
    "delete": _delete,
    "again": take_over,
}
"""What the buttons of a card are for; each returns what to tell. Raises HalorowError, StageError."""
