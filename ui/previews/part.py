"""The pictures of a preview in the browser: what is drawn is in the files beside this one."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.parts import listened, part

USUAL_ROOM_PX = 340
_MOST_ROOM_PX, _LEAST_ROOM_PX = 640, 100
_KEY = "preview"


_draw = part("previews/browser")


@dataclass(frozen=True)
class Chosen:
    """What the browser says: where in the result the crop lies, from 0 to 1, and the width of a picture."""

    across: float = 0.5
    down: float = 0.5
    room_px: int = USUAL_ROOM_PX


def chosen() -> Chosen:
    """Return what the browser has said last."""
    return chosen_of(st.session_state.get(_KEY))


def draw(data: dict[str, Any]) -> None:
    """Draw the pictures."""
    _draw(
        key=_KEY,
        data=data,
        default={"place": None, "room": None},
        on_place_change=listened,
        on_room_change=listened,
    )


def chosen_of(said: Any) -> Chosen:  # noqa: ANN401  (whoever sends it can send anything)
    """Return what a browser says, as far as it makes sense."""
    stated: Any = said if hasattr(said, "get") else {}
    place, room = stated.get("place"), stated.get("room")
    across, down = (place.get(axis) if hasattr(place, "get") else None for axis in ("across", "down"))
    sound = isinstance(room, int | float) and _LEAST_ROOM_PX <= room <= _MOST_ROOM_PX
    return Chosen(_share(across), _share(down), int(room) if sound else USUAL_ROOM_PX)


def _share(value: object) -> float:
    """Return a number from 0 to 1; the middle for anything else."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else Chosen.across
