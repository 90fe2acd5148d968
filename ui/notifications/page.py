"""The page *Notifications*: how somebody is told, and what became of it."""

from collections.abc import Callable

import streamlit as st

from pipeline.channels.models import Channel, Choices, Kind, Medium
from pipeline.errors import HalorowError
from pipeline.models import now
from ui import words
from ui.bell.part import ask_part, forget
from ui.notifications import view
from ui.service import connection as service

_REDRAW_S = 2.0
_VERSION_KEY = "channel_version"
_ROWS = 10
_LINES = 10


def notifications_page() -> None:
    """Draw the ways to be told, then what was told.

    What was picked or pressed is acted upon where it is drawn, and not by callbacks: Streamlit leaves those
    out where a drawing was interrupted by the one before it.
    """
    try:
        choices = service.client().desk().choices()
    except HalorowError as error:
        st.error(f"Your choices cannot be shown just now: {words.plain(error.public_message)}")
        return
    ways, told = st.columns([6, 5], gap="large")
    with ways:
        _here(choices)
        _channels(choices)
        _add()
    with told:
        _deliveries()
        _notices()


def _pills(label: str, chosen: frozenset[Kind], key: str, about: str | None = None) -> frozenset[Kind]:
    """Draw the events to choose from; return what is picked, and what was chosen and is not on offer."""
    kinds = view.kinds_for(is_operator=service.is_operator())
    picked = st.pills(
        label,
        list(kinds),
        selection_mode="multi",
        default=[kind for kind in kinds if kind in chosen],
        format_func=kinds.__getitem__,
        key=key,
        help=about,
        wrap=True,
    )
    return frozenset(picked) | (chosen - set(kinds))


def _keep_if_changed(key: str, value: object, keep: Callable[[], object]) -> None:
    """Have a value kept if it is another one than when this visit last looked."""
    known = f"{key}_known"
    if st.session_state.setdefault(known, value) != value and _attempt(keep):
        st.session_state[known] = value


def _attempt(act: Callable[[], object]) -> bool:
    """Do something at the desk; say what is wrong, if anything is."""
    try:
        act()
    except HalorowError as error:
        st.toast(words.plain(error.public_message), icon=":material/error:")
        return False
    forget()
    return True


def _here(choices: Choices) -> None:
    st.subheader("On this page", anchor=False, divider="gray")
    page = _pills("Shown in passing", choices.page, "kinds_page")
    browser = _pills(
        "Shown by the browser",
        choices.browser,
        "kinds_browser",
        "While a tab with this page is open, also behind other windows; without a sound.",
    )
    ask_part()
    desk = service.client().desk()
    _keep_if_changed("here", (page, browser), lambda: desk.keep(page=page, browser=browser))


def _channels(choices: Choices) -> None:
    st.subheader("Elsewhere", anchor=False, divider="gray")
    if not choices.channels:
        st.caption("Nobody is told anywhere else yet. Add a mail address, a chat or a webhook below.")
    for channel in choices.channels:
        with st.container(border=True, key=f"channel_{channel.id}", gap="small"):
            _channel(channel)


def _channel(channel: Channel) -> None:
    desk = service.client().desk()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{view.ICONS[channel.medium]} {view.quoted(channel.shown)}", width="stretch")
        on = st.toggle("On", channel.on, key=f"on_{channel.id}")
    kinds = _pills("Tell of", channel.kinds, f"kinds_{channel.id}")
    changed = channel.model_copy(update={"on": on, "kinds": kinds})
    _keep_if_changed(channel.id, (on, kinds), lambda: desk.change(changed))
    with st.container(horizontal=True):
        test = st.button(
            "Send a test message", icon=":material/send:", key=f"test_{channel.id}", disabled=not on
        )
        remove = st.button("Remove", icon=":material/delete:", type="tertiary", key=f"discard_{channel.id}")
    if test and _attempt(lambda: desk.test(channel.id)):
        st.toast("The test message is on its way", icon=":material/send:")
    if remove and _attempt(lambda: desk.remove(channel.id)):
        st.rerun()


def _add() -> None:
    """Draw what a new way to be told is added with."""
    rules = service.settings().notify_rules
    media = view.media_for(rules)
    medium = st.segmented_control(
        "Add", media, default=media[0], format_func=view.MEDIA.__getitem__, key="medium", required=True
    )
    _address_form(medium or media[0], view.asking(medium or media[0], rules))
    if Medium.MAIL not in media:
        st.caption("Mail is not offered: an operator has yet to set `smtp_host` and `mail_from`.")
    with st.expander("How webhooks are signed", icon=":material/key:"):
        st.markdown(
            "`X-Halorow-Signature` is `sha256=` and the HMAC-SHA256 of `X-Halorow-Timestamp`, a full stop and"
            " the body, with this key. `X-Halorow-Delivery` is the same whenever one message is sent again."
        )
        st.code(service.client().desk().webhook_key(), language=None, wrap_lines=True)


def _address_form(medium: Medium, ask: view.Asking) -> None:
    """Draw the field for an address; one that was taken makes room for the next, one that was not stays."""
    version = st.session_state.setdefault(_VERSION_KEY, 0)
    with st.form("add_channel", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        address = st.text_input(
            ask.label,
            value=service.user() if medium is Medium.MAIL and "@" in service.user() else "",
            placeholder=ask.placeholder,
            help=ask.help,
            type="password" if ask.secret else "default",
            autocomplete="off" if ask.secret else "email",
            key=f"address_{medium}_{version}",
        )
        pressed = st.form_submit_button("Add", icon=":material/add:")
    if not pressed:
        return
    try:
        service.client().desk().add(medium, address)
    except HalorowError as error:
        st.error(words.plain(error.public_message), icon=":material/error:")
        return
    st.session_state[_VERSION_KEY] += 1
    forget()
    st.rerun()


@st.fragment(run_every=_REDRAW_S)
def _deliveries() -> None:
    """Draw the last letters."""
    st.subheader("Last deliveries", anchor=False, divider="gray")
    desk = service.client().desk()
    try:
        waiting, told, choices = desk.waiting(), desk.latest(_ROWS), desk.choices()
    except HalorowError as error:
        st.warning(f"They cannot be shown just now: {words.plain(error.public_message)}")
        return
    shown = {channel.id: channel.shown for channel in choices.channels}
    rows = [
        view.row_waiting(one, shown.get(one.letter.channel, ""), now()) for one in reversed(waiting[-_ROWS:])
    ]
    rows += [view.row_of(one, now()) for one in told]
    if not rows:
        st.caption("Nothing was sent yet.")
    for number, row in enumerate(rows[:_ROWS]):
        _row(row, number)


def _row(row: view.Row, number: int) -> None:
    with st.container(key=f"delivery_{number}", gap=None):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(row.badge, icon=row.icon, color=row.colour)  # type: ignore[arg-type]  # from the view
            st.markdown(words.plain(row.title), width="stretch")
            again = row.letter is not None and st.button(
                "Send again", type="tertiary", icon=":material/replay:", key=f"again_{row.letter}"
            )
        st.caption(" · ".join(part for part in (view.quoted(row.way), words.plain(row.note)) if part))
        if row.problem:
            st.caption(f":red[{words.plain(row.problem)}]")
    if again and _attempt(lambda: service.client().desk().send_again(row.letter or "")):
        st.toast("It is on its way once more", icon=":material/send:")


@st.fragment(run_every=_REDRAW_S)
def _notices() -> None:
    """Draw the last notices; having been here is having read them."""
    st.subheader("Last notices", anchor=False, divider="gray")
    desk = service.client().desk()
    try:
        found = desk.notices()
        if desk.mark_read(found):
            forget()
    except HalorowError as error:
        st.warning(f"They cannot be shown just now: {words.plain(error.public_message)}")
        return
    if not found:
        st.caption("Nothing has happened yet.")
    lines = st.container(key="notices", gap="small")
    for notice in reversed(found[-_LINES:]):
        lines.markdown(f"{words.plain(notice.text)}  \n:gray[:small[{words.ago(notice.at, now())}]]")
