"""Links to results that others may have, with a life that the visitor chooses, and whole batches."""

import streamlit as st

from pipeline.errors import HalorowError
from pipeline.models import JobStatus
from ui import words
from ui.service import connection as service
from ui.service.tickets import path_for, ticket

LIVES_S = {"1 hour": 3600, "1 day": 24 * 3600, "7 days": 7 * 24 * 3600}


@st.fragment
def links(status: JobStatus) -> None:
    """Draw what makes links, and the way to all results of the job's batch."""
    st.subheader("Links", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        life = st.segmented_control("A link holds for", list(LIVES_S), default="1 day", key="link_life")
        wanted = st.button("Make a link", icon=":material/link:", key="make_link")
    if wanted and life is not None:
        try:
            st.code(service.client().link(status.id, life_s=LIVES_S[life]), language=None, wrap_lines=True)
            st.caption(f"Whoever has this link can download the result for {life}, without a login.")
        except HalorowError as error:
            st.warning(words.plain(error.public_message))
    if status.batch:
        st.link_button(
            f"Download all results of the batch {words.plain(status.batch)} as one archive",
            archive_address(status.batch),
            icon=":material/folder_zip:",
        )


def archive_address(batch: str) -> str:
    """Return where the visitor's browser gets all results of a batch."""
    path = path_for(service.viewer(), "live/archive", batch)
    return f"/{path}?{ticket(service.link_secret(), path)}"
