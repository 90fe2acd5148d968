"""A pipeline being built: drafts of steps, and the moves that a person makes with them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import takewhile
from typing import Any

from mpi_stage.errors import StageError
from mpi_stage.operations.declaring.declaration import Value
from mpi_stage.operations.declaring.parameters import parameters_of
from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.grammar import Step, parse, to_text

Entered = tuple[tuple[str, Value], ...]

_NOTHING = ("", "[]", "[ ]")


@dataclass(frozen=True)
class Draft:
    """A step as entered: the operation, and those values that differ from the defaults.

    ``uid`` stays with the step when it moves, and is never used again in the same pipeline. A step that is
    not ``on`` is left out of what is spelled and run, and keeps what was entered.
    """

    uid: int
    op: str
    entered: Entered = ()
    on: bool = True

    def value(self, name: str) -> Value:
        """Return what was entered for a parameter, else its default."""
        default = next((p.default for p in parameters_of(find(self.op)) if p.name == name), None)
        return dict(self.entered).get(name, default)

    def to_json(self) -> dict[str, Any]:
        """Return the step in the JSON spelling, defaults left out."""
        return {"op": self.op, **{name: _plain(value) for name, value in self.entered}}


@dataclass(frozen=True)
class Pipeline:
    """The drafts in order. Every method returns a new pipeline."""

    drafts: tuple[Draft, ...] = ()
    next_uid: int = field(default=1)

    def add(self, op: str) -> "Pipeline":
        """Append an operation with its defaults."""
        return Pipeline((*self.drafts, Draft(self.next_uid, op)), self.next_uid + 1)

    def remove(self, uid: int) -> "Pipeline":
        """Take a step out."""
        return replace(self, drafts=tuple(draft for draft in self.drafts if draft.uid != uid))

    def move(self, uid: int, by: int) -> "Pipeline":
        """Move a step by so many places, at most to the end; one that is gone stays gone."""
        drafts = list(self.drafts)
        here = next((place for place, draft in enumerate(drafts) if draft.uid == uid), None)
        if here is None:
            return self
        drafts.insert(min(max(here + by, 0), len(drafts) - 1), drafts.pop(here))
        return replace(self, drafts=tuple(drafts))

    def enter(self, uid: int, name: str, value: Value) -> "Pipeline":
        """Set a parameter of a step; its default, or None, takes it out of the spelling."""
        return replace(
            self,
            drafts=tuple(
                _entered(draft, name, value) if draft.uid == uid else draft for draft in self.drafts
            ),
        )

    def switch(self, uid: int, *, on: bool) -> "Pipeline":
        """Switch a step on or off."""
        drafts = (replace(draft, on=on) if draft.uid == uid else draft for draft in self.drafts)
        return replace(self, drafts=tuple(drafts))

    @property
    def active(self) -> tuple[Draft, ...]:
        """The drafts that are switched on."""
        return tuple(draft for draft in self.drafts if draft.on)

    def emptied(self) -> "Pipeline":
        """Return a pipeline without steps in which no uid comes again."""
        return replace(self, drafts=())

    def rewritten(self, text: str) -> "Pipeline":
        """Return the pipeline that ``text`` spells, in either spelling.

        Steps at the beginning and at the end that did not change keep their uid, and steps that are switched
        off, of which no text speaks, keep their places.

        Raises
        ------
        PipelineError
            if the text is wrong.

        """
        steps = parse(text) if text.strip() not in _NOTHING else []
        fresh = [_draft(0, step) for step in steps]
        old = self.active
        first = _agreeing(old, fresh)
        last = min(_agreeing(old[::-1], fresh[::-1]), len(old) - first, len(fresh) - first)
        changed = [
            replace(draft, uid=uid)
            for uid, draft in enumerate(fresh[first : len(fresh) - last], self.next_uid)
        ]
        drafts = [*old[:first], *changed, *old[len(old) - last :]]
        for place, draft in self._switched_off():
            drafts.insert(min(place, len(drafts)), draft)
        return Pipeline(tuple(drafts), self.next_uid + len(changed))

    def restored(self, past: "Pipeline") -> "Pipeline":
        """Return a pipeline as it was; steps that are others by now come back under new uids."""
        known = set(self.drafts)
        drafts, uid = [], max(self.next_uid, past.next_uid)
        for draft in past.drafts:
            drafts.append(draft if draft in known else replace(draft, uid=uid))
            uid += draft not in known
        return Pipeline(tuple(drafts), uid)

    def faults(self) -> dict[int, str]:
        """Return what is wrong with single steps, by their uid; steps that are switched off may be wrong."""
        found = {}
        for draft in self.active:
            try:
                parse([draft.to_json()])
            except StageError as error:
                found[draft.uid] = "\n".join(_unplaced(line) for line in error.public_message.splitlines())
        return found

    def _switched_off(self) -> list[tuple[int, Draft]]:
        """Return the steps that are off with their places, first to last."""
        return [(place, draft) for place, draft in enumerate(self.drafts) if not draft.on]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the JSON spelling, defaults left out."""
        return [draft.to_json() for draft in self.active]

    def to_json_text(self) -> str:
        """Return the JSON spelling as text, a step on each line."""
        lines = ",\n".join(f"  {json.dumps(step, ensure_ascii=False)}" for step in self.to_json())
        return f"[\n{lines}\n]" if lines else "[]"

    def to_text(self) -> str:
        """Return the text spelling, defaults left out."""
        return to_text(Step(find(draft.op), dict(draft.entered)) for draft in self.active)

    def check(self) -> list[Step]:
        """Return the checked steps. Raises PipelineError if a value is wrong or there is no step."""
        return parse(self.to_json())


@lru_cache(maxsize=1000)
def brief(text: str) -> str:
    """Return the text spelling of a pipeline with the defaults left out; a wrong one as it is."""
    try:
        return Pipeline().rewritten(text).to_text()
    except StageError:
        return text


def _agreeing(old: Sequence[Draft], fresh: Sequence[Draft]) -> int:
    """Return how many steps at the beginning say the same."""
    pairs = zip(old, fresh, strict=False)
    return sum(1 for _ in takewhile(lambda two: _said(two[0]) == _said(two[1]), pairs))


def _said(draft: Draft) -> tuple[str, Entered]:
    return draft.op, draft.entered


def _unplaced(line: str) -> str:
    """Return a line of an error without the step that it begins with."""
    return re.sub(r"^step \d+ \([^)]*\): ", "", line)


def _entered(draft: Draft, name: str, value: Value) -> Draft:
    """Return the draft with one value set, in the order of the declaration."""
    values = {**dict(draft.entered), name: value}
    return replace(draft, entered=_without_defaults(draft.op, values))


def _draft(uid: int, step: Step) -> Draft:
    """Return a checked step as a draft."""
    return Draft(uid, step.operation.name, _without_defaults(step.operation.name, step.params))


def _without_defaults(op: str, values: Mapping[str, Value]) -> Entered:
    """Return the values that have to be said, in the order of the declaration."""
    return tuple(
        (parameter.name, values[parameter.name])
        for parameter in parameters_of(find(op))
        if values.get(parameter.name) is not None and values[parameter.name] != parameter.default
    )


def _plain(value: Value) -> Value | list[float]:
    """Return a value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value
