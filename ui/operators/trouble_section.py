"""Dead letters with their evidence, to be re-queued, and the failures of lately."""

from functools import partial

import streamlit as st

from mpi_stage.errors import StageError
from pipeline.desks.operators import Evidence
from pipeline.errors import HalorowError
from pipeline.models import ClusterStatus, JobStatus, now
from ui import words
from ui.drafts import state
from ui.operators import view
from ui.service import connection as service

REDRAW_S = 3.0
_SHOWN = 20
_EVIDENCE_S = 300


@st.fragment(run_every=REDRAW_S)
def trouble_section() -> None:
    """Draw the dead letters, then the jobs that have failed, the newest first."""
    for text in state.flashes():
        st.toast(text)
    desk = service.operator_desk()
    try:
        trouble, cluster = desk.trouble(), desk.cluster()
    except HalorowError:
        return
    st.markdown("**Dead letters**")
    if not trouble.dead:
        st.caption("None: no job has used up its attempts or killed its workers.")
    for status in trouble.dead[:_SHOWN]:
        _dead_letter(status, cluster)
    _rest(len(trouble.dead))
    st.markdown("**Failed lately**")
    if not trouble.failed:
        st.caption("None.")
    for status in trouble.failed[:_SHOWN]:
        error = words.plain(view.shown(status.error or ""))
        st.markdown(f"{view.trouble_line(status, now())}  \n{error}")
    _rest(len(trouble.failed))


def _rest(number: int) -> None:
    if number > _SHOWN:
        st.caption(f"and {number - _SHOWN:,} more; `halorow jobs` lists them")


def _dead_letter(status: JobStatus, cluster: ClusterStatus | None) -> None:
    with st.container(border=True, key=f"dead_{status.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(view.trouble_line(status, now()), width="stretch")
            _requeue_button(status)
        st.error(words.plain(view.shown(status.error or "")), icon=":material/dangerous:")
        opened = st.expander(
            f"Evidence of {words.count(status.attempt, 'attempt')}",
            icon=":material/find_in_page:",
            key=f"evidence_{status.id}",
            on_change="rerun",
        )
        if opened.open:
            with opened:
                _evidence(status, cluster)


def _requeue_button(status: JobStatus) -> None:
    """Draw the button that asks once more before it gives the job another round of attempts."""
    with st.popover("Re-queue", icon=":material/replay:", key=f"requeue_{status.id}"):
        st.markdown(
            "The job gets a new round of attempts. If its image is what kills the workers, it will kill more"
            " of them first."
        )
        st.button(
            "Yes, re-queue it",
            type="primary",
            key=f"requeue_yes_{status.id}",
            on_click=partial(_requeue, status),
        )


def _requeue(status: JobStatus) -> None:
    try:
        service.client().retry(status.id)
    except (HalorowError, StageError) as error:
        state.flash(words.plain(error.public_message))
    else:
        state.flash(f"{words.plain(status.input_name)} waits again")


def _evidence(status: JobStatus, cluster: ClusterStatus | None) -> None:
    try:
        found = _evidence_of(status.id, status.attempt)
    except HalorowError as error:
        st.caption(f"The evidence cannot be had just now: {words.plain(error.public_message)}")
        return
    facts = {
        "Job": f"`{status.id}`",
        "Pipeline": f"`{status.pipeline}`",
        "Kind": found.kind or status.error_kind or "unknown",
        "Attempts": str(status.attempt),
        "Last node": words.plain(view.node_of(found.worker, cluster)),
    }
    st.markdown("  \n".join(f"{name}: {value}" for name, value in facts.items()))
    if found.lines:
        st.code("\n".join(found.lines), language=None, wrap_lines=True)


@st.cache_data(ttl=_EVIDENCE_S, max_entries=200, show_spinner=False)
def _evidence_of(job_id: str, attempt: int) -> Evidence:  # noqa: ARG001  (a later end has other evidence)
    """Return what is known of the end of a job; operators alone get here."""
    return service.operator_desk().evidence(job_id)
