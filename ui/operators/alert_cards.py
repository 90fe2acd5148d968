"""Alerts as operators see them: those that hold, with what to do, and those of lately."""

import streamlit as st

from pipeline.models import Alert, AlertsStatus, now
from ui import words
from ui.operators import runbook

_SHOWN = 20


def alert_cards(alerts: AlertsStatus) -> None:
    """Draw a card for each alert that holds, the worst first."""
    for alert in sorted(alerts.active, key=lambda one: (one.severity != "critical", one.since)):
        _card(alert)
    if not alerts.active:
        st.caption(":material/check_circle: No alert holds.")


def _card(alert: Alert) -> None:
    is_critical = alert.severity == "critical"
    with st.container(border=True, key=f"alert_{alert.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(
                "Critical" if is_critical else "Warning",
                icon=":material/error:" if is_critical else ":material/warning:",
                color="red" if is_critical else "orange",
            )
            st.markdown(f"**{words.plain(alert.text)}**", width="stretch")
            st.caption(f"since {alert.since:%H:%M:%S} UTC, {words.ago(alert.since, now())}", width="content")
        if alert.remedy:
            st.markdown(alert.remedy[:1].upper() + alert.remedy[1:] + ".")
        entry = runbook.entry(alert.runbook)
        if entry is not None:
            with st.expander("What to do", icon=":material/menu_book:", key=f"runbook_{alert.id}"):
                st.markdown(entry)


def recent_alerts(alerts: AlertsStatus) -> None:
    """Draw the alerts that were cleared lately."""
    if not alerts.recent:
        return
    with st.expander(
        f"Alerts of lately ({len(alerts.recent)})", icon=":material/history:", key="recent_alerts"
    ):
        for alert in alerts.recent[:_SHOWN]:
            lasted = words.duration((alert.at - alert.since).total_seconds())
            st.markdown(f"{words.plain(alert.text)} · cleared {words.ago(alert.at, now())}, lasted {lasted}")
