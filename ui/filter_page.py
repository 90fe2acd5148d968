"""The page of everybody: images and a pipeline on one side, what became of them on the other."""

import streamlit as st

from ui.building.pipeline_section import pipeline_section
from ui.images.submit_section import images_section, run_section
from ui.jobs.section import jobs_section
from ui.previews.section import begin_preview, preview_section
from ui.welcome import welcome


def filter_page() -> None:
    """Draw where jobs are made and followed."""
    build, follow = st.columns([5, 6], gap="large")
    with build:
        images = images_section()
        begin_preview(images)
        pipeline_section()
        run_section(images)
    with follow:
        preview, jobs = st.container(), st.container()
        with jobs:
            jobs_section()
        with preview:  # the last to be drawn, since it waits for its pictures
            if images:
                preview_section(images)
            else:
                welcome()
