"""Pipelines that people have saved under a name, for themselves or for everybody; they lie in the store."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mpi_stage.operations.spelling.grammar import parse, to_json, to_text
from pipeline import layout
from pipeline.errors import ObjectNotFoundError, PresetError
from pipeline.models import now
from pipeline.ports import ObjectStore

MOST_PRESETS = 50
"""Of one user; shared ones count."""

MOST_BYTES = 16 << 10
"""Of one preset."""

MOST_SHOWN = 500
"""Of everybody's shared ones."""

_NAME = re.compile(r"\w[\w .,()+&-]{0,39}")


class Preset(BaseModel):
    """A pipeline with a name: the name, whose it is, its steps in the JSON spelling, whether all see it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    owner: str
    steps: list[dict[str, Any]]
    shared: bool = False
    saved_at: datetime = Field(default_factory=now)

    @property
    def text(self) -> str:
        """The text spelling. Raises PipelineError where the catalogue no longer has it so."""
        return to_text(parse(self.steps))


class PresetBook:
    """The presets that one user sees: their own, and those that others share.

    Nobody can change another's: where a preset lies follows from its owner's name. Every method may raise
    StoreError.
    """

    def __init__(self, store: ObjectStore, user: str) -> None:
        """Keep presets in ``store`` for ``user``."""
        self._store = store
        self._user = user

    def mine(self) -> list[Preset]:
        """Return the user's own, by name."""
        return self._below(layout.presets_prefix(self._user, shared=False)) + self._below(
            layout.presets_prefix(self._user, shared=True)
        )

    def shared(self) -> list[Preset]:
        """Return what others share, by name."""
        found = self._below(layout.presets_prefix(None, shared=True))
        return [preset for preset in found if preset.owner != self._user]

    def save(self, name: str, steps: Sequence[dict[str, Any]], *, shared: bool = False) -> Preset:
        """Keep a pipeline; one of the user's of the same name is replaced.

        Raises PresetError for a name or a size that cannot be, and where there are too many; PipelineError.
        """
        name = check_name(name)
        preset = Preset(name=name, owner=self._user, steps=to_json(parse(list(steps))), shared=shared)
        data = preset.model_dump_json().encode()
        if len(data) > MOST_BYTES:
            raise PresetError(
                f"the preset {name} takes {len(data)} bytes, and one may take {MOST_BYTES}; save its parts "
                "as presets of their own"
            )
        others = {one.name.casefold() for one in self.mine()} - {name.casefold()}
        if len(others) >= MOST_PRESETS:
            raise PresetError(
                f"you have {len(others)} presets, and may have {MOST_PRESETS}; delete one first"
            )
        self._store.put_bytes(layout.preset_key(self._user, name, shared=shared), data)
        self._store.delete(layout.preset_key(self._user, name, shared=not shared))
        return preset

    def delete(self, name: str) -> None:
        """Remove one of the user's own; one that is not there is removed already."""
        for shared in (False, True):
            self._store.delete(layout.preset_key(self._user, name, shared=shared))

    def _below(self, prefix: str) -> list[Preset]:
        """Return the presets whose keys begin so; what is none is passed over."""
        found = []
        for number, info in enumerate(self._store.list(prefix)):
            if number >= MOST_SHOWN:
                break
            try:
                preset = Preset.model_validate_json(self._store.get_bytes(info.key))
            except (ObjectNotFoundError, ValidationError):  # deleted meanwhile, or written by something else
                continue
            if info.key == layout.preset_key(preset.owner, preset.name, shared=preset.shared):
                found.append(preset)
        return sorted(found, key=lambda preset: (preset.name.casefold(), preset.owner))


def check_name(name: str) -> str:
    """Return a preset's name without blanks around it. Raises PresetError."""
    name = " ".join(name.split())
    if _NAME.fullmatch(name) is None:
        shown = json.dumps(name[:60], ensure_ascii=False)
        raise PresetError(
            f"{shown} cannot be a preset's name: it has 1 to 40 letters, digits, blanks and .,()+&-_, and "
            "begins with a letter or a digit"
        )
    return name
