"""A pipeline being built: drafts of steps, and the moves that a person makes with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from mpi_stage.errors import StageError
from mpi_stage.operations.declaration import Value
from mpi_stage.operations.grammar import Step, parse, to_text
from mpi_stage.operations.index import find
from mpi_stage.operations.parameters import parameters_of

Entered = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Draft:
    """A step as entered: the operation, and those values that differ from the defaults.

    ``uid`` stays with the step when it moves, and is never used again in the same pipeline.
    """

    uid: int
    op: str
    entered: Entered = ()

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

    def rewritten(self, text: str) -> "Pipeline":
        """Return the pipeline that ``text`` spells; steps that did not change keep their uid.

        Raises
        ------
        PipelineError
            if the text is wrong.

        """
        drafts: list[Draft] = []
        uid = self.next_uid
        for place, step in enumerate(parse(text) if text.strip() else []):
            fresh = _draft(uid, step)
            old = self.drafts[place] if place < len(self.drafts) else None
            if old is not None and (old.op, old.entered) == (fresh.op, fresh.entered):
                drafts.append(old)
            else:
                drafts.append(fresh)
                uid += 1
        return Pipeline(tuple(drafts), uid)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the JSON spelling, defaults left out."""
        return [draft.to_json() for draft in self.drafts]

    def to_text(self) -> str:
        """Return the text spelling, defaults left out."""
        return to_text(Step(find(draft.op), dict(draft.entered)) for draft in self.drafts)

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
