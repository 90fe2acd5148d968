"""What goes wrong with a bucket while a job is submitted, worked on and committed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fakes.gcs.faults import FaultKind as Kind

SUBMIT, WORK = "submission", "work"


@dataclass(frozen=True)
class Scenario:
    """Faults that a job meets.

    Attributes
    ----------
    name: in words.
    faults: what ``Faults.add`` takes.
    when: whether they begin with the submission or with the work.
    stays: whether they last until somebody ends them, after the first attempt.
    ends_well: whether the job succeeds; else it is given up.
    suffix: of the input.

    """

    name: str
    faults: tuple[Mapping[str, Any], ...]
    when: str = WORK
    stays: bool = False
    ends_well: bool = True
    suffix: str = ".tif"


def fault(kind: Kind, method: str, target: str, times: int = 1, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "method": method, "target": target, "times": times, **more}


def _each(
    what: str,
    where: tuple[str, str],
    kinds: Mapping[str, Kind],
    *,
    about: Mapping[str, str] | None = None,
    when: str = WORK,
) -> list[Scenario]:
    faults = {word: (fault(kind, *where, **(about or {})),) for word, kind in kinds.items()}
    return [Scenario(f"{what}: {word}", one, when=when) for word, one in faults.items()]


_INPUT = r"scan\.(tif|png).*alt=media"
_PART = {"about": r"halorow/parts/"}
_UPLOAD = r"uploadType=multipart"
_COMPOSE = r"scan\.tif/compose"
_RECORD = {"about": r"halorow/(jobs|keys|uploads|open|outbox)/"}
_LISTING = r"/o\?.*prefix"
_FOREVER = 100_000
_READING = {"reset": Kind.RESET, "stall": Kind.STALL, "cut short": Kind.TRUNCATED}
_WRITING = {"reset": Kind.RESET, "lost answer": Kind.LOST_ANSWER, "changed byte": Kind.CORRUPTED_UPLOAD}
_COMPOSING = {"reset": Kind.RESET, "lost answer": Kind.LOST_ANSWER, "stall": Kind.STALL}

SCENARIOS = (
    *[
        Scenario(f"reading the input: {status}", (fault(Kind.STATUS, "GET", _INPUT, 2, status=status),))
        for status in (429, 500, 502, 503, 504)
    ],
    *_each("reading the input", ("GET", _INPUT), _READING),
    Scenario(
        "reading the input: unavailable for good", (fault(Kind.STATUS, "GET", _INPUT, _FOREVER),), stays=True
    ),
    Scenario(
        "reading a whole input: changed byte", (fault(Kind.CORRUPTED, "GET", _INPUT, 2),), suffix=".png"
    ),
    Scenario("reading the input: expired token", (fault(Kind.STATUS, "GET", _INPUT, 1, status=401),)),
    Scenario("uploading a part: 503", (fault(Kind.STATUS, "POST", _UPLOAD, 2, **_PART),)),
    *_each("uploading a part", ("POST", _UPLOAD), {**_WRITING, "stall": Kind.STALL}, about=_PART),
    Scenario(
        "uploading a part: expired token", (fault(Kind.STATUS, "POST", _UPLOAD, 1, status=401, **_PART),)
    ),
    Scenario(
        "uploading parts: unavailable for good",
        (fault(Kind.STATUS, "POST", _UPLOAD, _FOREVER, **_PART),),
        stays=True,
    ),
    Scenario("composing: 503", (fault(Kind.STATUS, "POST", _COMPOSE, 2),)),
    *_each("composing", ("POST", _COMPOSE), _COMPOSING),
    Scenario(
        "composing: unavailable for good", (fault(Kind.STATUS, "POST", _COMPOSE, _FOREVER),), stays=True
    ),
    Scenario(
        "composing: done, and no answer ever",
        (fault(Kind.LOST_ANSWER, "POST", _COMPOSE), fault(Kind.STATUS, "POST", _COMPOSE, _FOREVER)),
        stays=True,
    ),
    Scenario(
        "removing parts: unavailable for good", (fault(Kind.STATUS, "DELETE", "parts", _FOREVER),), stays=True
    ),
    Scenario("submitting: 503", (fault(Kind.STATUS, "POST", _UPLOAD, 2, **_RECORD),), when=SUBMIT),
    *_each("submitting", ("POST", _UPLOAD), _WRITING, about=_RECORD, when=SUBMIT),
    Scenario(
        "submitting: every answer lost",
        (fault(Kind.LOST_ANSWER, "POST", _UPLOAD, 3, **_RECORD),),
        when=SUBMIT,
    ),
    Scenario(
        "submitting: unavailable for good",
        (fault(Kind.STATUS, "POST", _UPLOAD, _FOREVER, **_RECORD),),
        when=SUBMIT,
        stays=True,
    ),
    Scenario("writing records: 503", (fault(Kind.STATUS, "POST", _UPLOAD, 3, **_RECORD),)),
    Scenario("writing records: resets", (fault(Kind.RESET, "POST", _UPLOAD, 2, **_RECORD),)),
    Scenario("writing records: answers lost", (fault(Kind.LOST_ANSWER, "POST", _UPLOAD, 3, **_RECORD),)),
    Scenario(
        "writing records: changed bytes", (fault(Kind.CORRUPTED_UPLOAD, "POST", _UPLOAD, 1, **_RECORD),)
    ),
    Scenario(
        "writing records: unavailable for good",
        (fault(Kind.STATUS, "POST", _UPLOAD, _FOREVER, **_RECORD),),
        stays=True,
    ),
    Scenario("listing: 503", (fault(Kind.STATUS, "GET", _LISTING, 2),)),
    Scenario("listing: cut short", (fault(Kind.TRUNCATED, "GET", _LISTING, 1),)),
    Scenario("listing: unavailable for good", (fault(Kind.STATUS, "GET", _LISTING, _FOREVER),), stays=True),
    Scenario(
        "all at once, a quarter of the requests",
        tuple(
            fault(kind, method, "", 1)
            for kind, method in (
                (Kind.STATUS, "GET"),
                (Kind.RESET, "POST"),
                (Kind.TRUNCATED, "GET"),
                (Kind.LOST_ANSWER, "POST"),
                (Kind.RESET, "GET"),
                (Kind.STATUS, "POST"),
            )
        ),
    ),
    Scenario(
        "no right to read the input",
        (fault(Kind.STATUS, "GET", _INPUT, _FOREVER, status=403),),
        ends_well=False,
    ),
)
