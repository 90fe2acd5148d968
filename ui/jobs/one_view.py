"""The page of one job: how it goes, before and after, its report, its links."""

import streamlit as st

from pipeline.desks.browse import Found
from pipeline.errors import HalorowError
from pipeline.models import JobState, JobStatus, Result
from ui import shipped, words
from ui.images import chosen as images
from ui.jobs.again import take_over
from ui.jobs.links_view import links
from ui.jobs.report_view import figures, metadata, rank_rows, table_of
from ui.jobs.section import JOBS_PATH, one_job
from ui.parts import part
from ui.routes.tiles import SIDES, tiles_of
from ui.service import connection as service
from ui.ways import go

LOOK_S = 2.0
_viewer = part("jobs/viewer", isolated=False)


def job_view(job_id: str) -> None:
    """Draw a job; one that is not there, or another's, is said so."""
    if st.button("All jobs", icon=":material/arrow_back:", type="tertiary", key="all_jobs"):
        go(JOBS_PATH)
    try:
        status = service.client().status(job_id)
        result = service.client().result(job_id) if status.state is JobState.SUCCEEDED else None
    except HalorowError as error:
        st.error(words.plain(error.public_message))
        return
    one_job(job_id)
    if result is None:
        if not status.state.is_final:
            _wait(job_id)
        _history(job_id)
        return
    _actions(status, result)
    viewer = service.viewer()
    sides = [
        {"label": side.capitalize(), **tiles_of(service.link_secret(), viewer, job_id, side)}
        for side in SIDES
    ]
    library = shipped.address("static/openseadragon-6.1.1.min.js")
    _viewer(key=f"viewer_{job_id}", data={"job": job_id, "osd": library, "sides": sides})
    _report(job_id, result)
    links(status)


@st.fragment(run_every=LOOK_S)
def _wait(job_id: str) -> None:
    """Draw the page anew once the job has ended."""
    try:
        if service.client().status(job_id).state.is_final:
            st.rerun()
    except HalorowError:
        return


def _actions(status: JobStatus, result: Result) -> None:
    with st.container(horizontal=True):
        if st.button("Run again with changes", icon=":material/edit:", key="again"):
            st.toast(take_over(status.id))
            go("")
        if st.button("Use the result as an input", icon=":material/input:", key="use_result"):
            uri = service.client().uri_of(status.output_key or result.output.key)
            images.pick([Found(uri, result.output_name, result.output.size_bytes)])
            go("")


def _report(job_id: str, result: Result) -> None:
    st.subheader("Report", anchor=False)
    st.html(table_of([*figures(result), *metadata(result)]))
    rows = rank_rows(result)
    if rows:
        with st.expander(f"What each of {words.count(len(rows), 'rank')} did", icon=":material/lan:"):
            st.dataframe(rows, hide_index=True, width="stretch")
    _history(job_id)


def _history(job_id: str) -> None:
    """Draw what has happened to the job, from its records."""
    with st.expander("What happened, attempt by attempt", icon=":material/history:"):
        try:
            turns = service.client().timeline(job_id)
        except HalorowError as error:
            st.caption(words.plain(error.public_message))
            return
        rows = [
            {
                "when": turn.at,
                "attempt": turn.attempt,
                "what": turn.what,
                "about": ", ".join(
                    f"{name} {value}" for name, value in turn.facts.items() if value is not None
                ),
            }
            for turn in turns
            if turn.what != "rank reported"
        ]
        st.dataframe(rows, hide_index=True, width="stretch")
