"""The page of the jobs, and that of one job where the address names it."""

import streamlit as st

from ui.jobs.one_view import job_view
from ui.jobs.section import jobs_section


def jobs_page() -> None:
    """Draw all jobs, or the one that ``?job=`` names."""
    job_id = st.query_params.get("job")
    if job_id:
        job_view(job_id)
    else:
        jobs_section(full=True)
