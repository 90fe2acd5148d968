"""Previews and estimates as one visitor asks for them: what was asked for last, and what has come of it."""

import json
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from mpi_stage.contract import View
from mpi_stage.errors import StageError
from pipeline.errors import HalorowError
from ui.images.chosen import Image
from ui.previews.part import Chosen
from ui.service import connection as service

if TYPE_CHECKING:
    from pipeline.previews.estimate import Estimate

PATIENCE_S = 1.2
"""A drawing waits for so long; what comes later is looked for again and again."""

MOST_ESTIMATED = 20
"""Images that are planned before they are submitted; the largest."""

_TICK_S = 0.02
_KNOWN_PICTURES = 6
_VISIT_KEY, _KNOWN_KEY = "preview_visit", "preview_known"

Made = TypeVar("Made")
Steps = list[dict[str, Any]]


@dataclass
class Look(Generic[Made]):
    """Something that is asked for.

    Attributes
    ----------
    wanted: all that the answer depends on.
    future: what will be the answer.
    made: the last answer that came, perhaps to an earlier question; ``fault``: or why there is none.
    made_of: the question that it answers.

    """

    wanted: tuple[Any, ...] = ()
    future: "Future[Made] | None" = None
    made: Made | None = None
    made_of: tuple[Any, ...] = ()
    fault: str = ""

    @property
    def pending(self) -> bool:
        """Whether the answer has yet to come."""
        return self.future is not None

    def ask(self, wanted: tuple[Any, ...], ask: "Callable[[], Future[Made]]") -> None:
        """Ask, unless this is what was asked for last."""
        if wanted == self.wanted and (self.future is None or not self.future.cancelled()):
            return
        self.wanted, self.future = wanted, None
        try:
            self.future = ask()
        except (HalorowError, StageError) as error:
            self._fail(error.public_message)

    def wait(self, tell: Callable[[], object]) -> None:
        """Wait a moment for the answer.

        ``tell`` is called now and then; it draws something, at which Streamlit may break the drawing off.
        """
        for _ in range(round(PATIENCE_S / _TICK_S)):
            if self.future is None or self.future.done():
                break
            wait([self.future], _TICK_S)
            tell()
        self.look()

    def look(self) -> None:
        """Take the answer if it has come."""
        future = self.future
        if future is None or not future.done():
            return
        self.future = None
        try:
            self.made, self.made_of, self.fault = future.result(), self.wanted, ""
        except CancelledError:
            self.wanted = ()
        except (HalorowError, StageError, OSError) as error:
            self._fail(
                error.public_message if not isinstance(error, OSError) else "there is no preview just now"
            )

    def _fail(self, fault: str) -> None:
        self.made, self.made_of, self.fault = None, self.wanted, fault


def held(name: str) -> "Look[Any]":
    """Return what the visitor has asked for under a name."""
    look: Look[Any] = st.session_state.setdefault(f"look_{name}", Look())
    return look


def ask_preview(
    look: "Look[dict[str, Any]]", image: Image, steps: list[dict[str, Any]], place: Chosen
) -> None:
    """Ask for pictures of an image after some steps."""

    def ask() -> "Future[dict[str, Any]]":
        request, generation = service.client().preview_request(image.uri, steps, image.name)
        view = View(
            generation=generation,
            across=place.across,
            down=place.down,
            crop_columns=place.room_px,
            crop_rows=place.room_px * 3 // 4,
            known=list(_known()),
        )
        return service.previews().seat(_visit()).preview(request, view)

    look.ask((image.uri, json.dumps(steps), place), ask)


def ask_estimates(look: "Look[list[Estimate | Exception]]", images: Sequence[Image], steps: Steps) -> None:
    """Ask what jobs on some images would take."""

    def ask() -> "Future[list[Estimate | Exception]]":
        client = service.client()
        requests = [client.preview_request(image.uri, steps, image.name)[0] for image in images]
        return service.previews().seat(_visit()).estimate(requests, service.capacity())

    look.ask((*(image.uri for image in images), json.dumps(steps)), ask)


def largest(images: Sequence[Image]) -> list[Image]:
    """Return the images that are planned, the largest first."""
    return sorted(images, key=lambda image: -image.size_bytes)[:MOST_ESTIMATED]


def remembered(picture: dict[str, Any]) -> dict[str, Any]:
    """Return a picture with its bytes, which the stage sends once; none where they have been forgotten."""
    known, key = _known(), str(picture.get("key") or "")
    if "src" in picture and key:
        known[key] = picture["src"]
        for old in list(known)[:-_KNOWN_PICTURES]:
            del known[old]
    return {**picture, "src": picture.get("src") or known.get(key, "")}


def _known() -> dict[str, str]:
    """Return the pictures that the visitor has been sent, by their keys."""
    known: dict[str, str] = st.session_state.setdefault(_KNOWN_KEY, {})
    return known


def _visit() -> str:
    """Return what tells this visit from others."""
    name: str = st.session_state.setdefault(_VISIT_KEY, uuid.uuid4().hex)
    return name
