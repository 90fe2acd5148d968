"""The operators' page: what the service does, what is wrong with it, and what to do about that."""

from datetime import timedelta

import streamlit as st

from pipeline.errors import HalorowError
from pipeline.models import AlertsStatus, now
from ui import words
from ui.operators import queue_chart, view
from ui.operators.alert_cards import alert_cards, recent_alerts
from ui.operators.trouble_section import trouble_section
from ui.service import connection as service

REDRAW_S = 3.0
CHART_S = 10.0
_RANGE_KEY = "chart_range"
_FIRST_RANGE = "1 hour"
_LINK_HELP = {
    "Ray's dashboard": "It asks for Ray's token: on one machine, `ray-token` in the service's folder."
}


def operators_page() -> None:
    """Draw everything; each part redraws itself."""
    desk = service.operator_desk()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Operators", anchor=False, width="stretch")
        for name, address in desk.links().items():
            st.link_button(
                name, address, icon=":material/open_in_new:", type="tertiary", help=_LINK_HELP.get(name)
            )
    _state()
    _over_time()
    trouble_section()


@st.fragment(run_every=REDRAW_S)
def _state() -> None:
    """Draw what is wrong, the figures, and the nodes."""
    desk = service.operator_desk()
    for check in desk.checks():
        if not check.is_well:
            st.error(words.plain(check.text), icon=":material/cloud_off:")
    alerts = desk.alerts() or AlertsStatus()
    alert_cards(alerts)
    try:
        cluster, dead = desk.cluster(), len(desk.trouble().dead)
    except HalorowError:
        return  # the check above has said so
    if cluster is None:
        st.warning(
            "The scheduler has not told of the cluster in the last minute.", icon=":material/hourglass:"
        )
    else:
        with st.container(horizontal=True, gap="medium", key="figures"):
            for figure in view.figures(cluster, dead):
                with st.container(width=168, gap=None):
                    st.metric(figure.name, figure.value)
                    if figure.note:
                        st.caption(figure.note)
        st.html(view.nodes_html(cluster.nodes))
    recent_alerts(alerts)


@st.fragment(run_every=CHART_S)
def _over_time() -> None:
    """Draw the queue against the nodes over time."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Over time**", width="stretch")
        span = st.segmented_control(
            "Span",
            list(queue_chart.RANGES),
            default=_FIRST_RANGE,
            required=True,
            key=_RANGE_KEY,
            label_visibility="collapsed",
        )
    until = now()
    since = until - timedelta(seconds=queue_chart.RANGES[span or _FIRST_RANGE])
    try:
        samples = queue_chart.thinned(service.operator_desk().samples(since))
    except HalorowError:
        return
    if not samples:
        st.caption("Nothing has been recorded in this time yet.")
        return
    for title, rows, spec in (
        (
            "Jobs in the queue, by lane",
            queue_chart.queue_rows(samples),
            queue_chart.queue_spec((since, until)),
        ),
        ("Nodes", queue_chart.node_rows(samples), queue_chart.node_spec((since, until))),
    ):
        st.caption(title)
        st.vega_lite_chart(rows, spec, key=f"chart_{title}")
