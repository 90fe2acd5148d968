"""The page. Streamlit runs this file anew for every drawing; everything else is imported."""

import streamlit as st

from pipeline.errors import HalorowError
from ui import service, words
from ui.jobs_section import jobs_section
from ui.login import greeting
from ui.look import STYLE, icon
from ui.pipeline_section import pipeline_section
from ui.submit_section import images_section, run_section

st.set_page_config(page_title="halorow", page_icon=icon(), layout="wide")
st.html(STYLE)

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("halorow", anchor=False, width="content")
    st.caption("Exact filters for pictures of any size")
    greeting(service.settings())

try:
    service.client()
except HalorowError as problem:
    st.error(
        f"**The service cannot be reached.** {words.plain(problem.public_message)}  \nReload to try again."
    )
    st.stop()

build, follow = st.columns([5, 6], gap="large")
with build:
    images = images_section()
    pipeline_section()
    run_section(images)
with follow:
    jobs_section()
