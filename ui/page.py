"""The way to the pages. Streamlit runs this file anew for every drawing; everything else is imported."""

import streamlit as st

from pipeline.errors import HalorowError
from ui import words
from ui.bell.part import bell
from ui.look import STYLE, icon
from ui.pages import NOTIFICATIONS, pages_for
from ui.service import connection as service
from ui.service.login import greeting
from ui.ways import lead_to

st.set_page_config(page_title="halorow", page_icon=icon(), layout="wide")
st.html(STYLE)

entries = {
    st.Page(page.draw, title=page.title, icon=page.icon, url_path=page.path, default=not page.path): page
    for page in pages_for(is_operator=service.is_operator())
}
chosen = st.navigation(list(entries), position="top")
lead_to({page.path: entry for entry, page in entries.items()})

head = st.container(horizontal=True, vertical_alignment="bottom")
with head:
    st.title("halorow", anchor=False, width="content")
    st.caption("Exact filters for pictures of any size")
    greeting(service.settings())

if entries[chosen].needs_service:
    try:
        service.client()
    except HalorowError as problem:
        why = words.plain(problem.public_message)
        st.error(f"**The service cannot be reached.** {why}  \nReload to try again.")
        st.stop()

chosen.run()
with head:  # last: while Redis is away it takes its time, and the page has something to say
    bell(next(entry for entry, page in entries.items() if page.path == NOTIFICATIONS))
