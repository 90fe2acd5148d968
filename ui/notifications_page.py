"""The page *Notifications*: how somebody is told, and what became of it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from pipeline.errors import HalorowError
from pipeline.models import now
from pipeline.notify.models import Channel, Choices, Kind, Medium
from ui import notifications_view as view
from ui import service, state, words
from ui.bell.part import ask_part, forget

_REDRAW_S = 2.0
_VERSION_KEY = "channel_version"
_FAULT_KEY = "channel_fault"
_ROWS = 10
_LINES = 10


def notifications_page() -> None:
    """Draw the ways to be told, then what was told."""
    for text in state.flashes():
        st.toast(text)
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


def _kinds() -> dict[Kind, str]:
    return view.kinds_for(is_operator=service.is_operator())


def _pills(
    label: str, chosen: frozenset[Kind], key: str, save: Callable[[], None], about: str | None = None
) -> None:
    """Draw the events to choose from; a change is kept at once."""
    kinds = _kinds()
    st.pills(
        label,
        list(kinds),
        selection_mode="multi",
        default=[kind for kind in kinds if kind in chosen],
        format_func=kinds.__getitem__,
        key=key,
        on_change=save,
        help=about,
        wrap=True,
    )


def _picked(key: str, before: frozenset[Kind]) -> frozenset[Kind]:
    """Return what is picked, with what was chosen before and is not on offer."""
    return frozenset(st.session_state[key]) | (before - set(_kinds()))


def _attempt(act: Callable[[], object]) -> bool:
    """Do something at the desk; say what is wrong, if anything is."""
    try:
        act()
    except HalorowError as error:
        state.flash(words.plain(error.public_message))
        return False
    forget()
    return True


def _here(choices: Choices) -> None:
    st.subheader("On this page", anchor=False, divider="gray")

    def save() -> None:
        page, browser = _picked("kinds_page", choices.page), _picked("kinds_browser", choices.browser)
        _attempt(lambda: service.client().desk().keep(page=page, browser=browser))

    _pills("Shown in passing", choices.page, "kinds_page", save)
    _pills(
        "Shown by the browser",
        choices.browser,
        "kinds_browser",
        save,
        "While a tab with this page is open, also behind other windows; without a sound.",
    )
    ask_part()


def _channels(choices: Choices) -> None:
    st.subheader("Elsewhere", anchor=False, divider="gray")
    if not choices.channels:
        st.caption("Nobody is told anywhere else yet. Add a mail address, a chat or a webhook below.")
    for channel in choices.channels:
        with st.container(border=True, key=f"channel_{channel.id}", gap="small"):
            _channel(channel)


def _channel(channel: Channel) -> None:
    on, kinds = f"on_{channel.id}", f"kinds_{channel.id}"

    def save() -> None:
        changed = {"on": st.session_state[on], "kinds": _picked(kinds, channel.kinds)}
        _attempt(lambda: service.client().desk().change(channel.model_copy(update=changed)))

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{view.ICONS[channel.medium]} {view.quoted(channel.shown)}", width="stretch")
        st.toggle("On", channel.on, key=on, on_change=save)
    _pills("Tell of", channel.kinds, kinds, save)
    with st.container(horizontal=True):
        st.button(
            "Send a test message",
            icon=":material/send:",
            key=f"test_{channel.id}",
            disabled=not channel.on,
            on_click=partial(_test, channel.id),
        )
        st.button(
            "Remove",
            icon=":material/delete:",
            type="tertiary",
            key=f"discard_{channel.id}",
            on_click=partial(_remove, channel.id),
        )


def _test(channel_id: str) -> None:
    if _attempt(lambda: service.client().desk().test(channel_id)):
        state.flash("The test message is on its way")


def _remove(channel_id: str) -> None:
    _attempt(lambda: service.client().desk().remove(channel_id))


def _add() -> None:
    """Draw what a new way to be told is added with."""
    rules = service.settings().notify_rules
    media = view.media_for(rules)
    version = st.session_state.setdefault(_VERSION_KEY, 0)
    medium = st.segmented_control(
        "Add",
        media,
        default=media[0],
        format_func=view.MEDIA.__getitem__,
        key="medium",
        required=True,
        on_change=_forgive,
    )
    ask = view.asking(medium or media[0], rules)
    key = f"address_{medium}_{version}"
    with st.form("add_channel", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            ask.label,
            value=service.user() if medium is Medium.MAIL and "@" in service.user() else "",
            placeholder=ask.placeholder,
            help=ask.help,
            type="password" if ask.secret else "default",
            autocomplete="off" if ask.secret else "email",
            key=key,
        )
        st.form_submit_button("Add", icon=":material/add:", on_click=partial(_added, medium or media[0], key))
    if fault := st.session_state.get(_FAULT_KEY):
        st.error(words.plain(fault), icon=":material/error:")
    if Medium.MAIL not in media:
        st.caption("Mail is not offered: an operator has yet to set `smtp_host` and `mail_from`.")
    with st.expander("How webhooks are signed", icon=":material/key:"):
        st.markdown(
            "`X-Halorow-Signature` is `sha256=` and the HMAC-SHA256 of `X-Halorow-Timestamp`, a full stop and"
            " the body, with this key. `X-Halorow-Delivery` is the same whenever one message is sent again."
        )
        st.code(service.client().desk().webhook_key(), language=None, wrap_lines=True)


def _forgive() -> None:
    st.session_state[_FAULT_KEY] = None


def _added(medium: Medium, key: str) -> None:
    """Add a channel and empty the field, or remember what is wrong with the address."""
    try:
        service.client().desk().add(medium, st.session_state[key])
    except HalorowError as error:
        st.session_state[_FAULT_KEY] = error.public_message
        return
    st.session_state[_FAULT_KEY] = None
    st.session_state[_VERSION_KEY] += 1
    forget()


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
            if row.letter is not None:
                st.button(
                    "Send again",
                    type="tertiary",
                    icon=":material/replay:",
                    key=f"again_{row.letter}",
                    on_click=partial(_again, row.letter),
                )
        st.caption(" · ".join(part for part in (view.quoted(row.way), words.plain(row.note)) if part))
        if row.problem:
            st.caption(f":red[{words.plain(row.problem)}]")


def _again(letter: str) -> None:
    if _attempt(lambda: service.client().desk().send_again(letter)):
        state.flash("It is on its way once more")


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
        lines.markdown(f"{words.plain(notice.text)}  \n:gray[:small[{view.ago(notice.at, now())}]]")
