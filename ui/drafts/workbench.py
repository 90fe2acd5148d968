"""A pipeline on a visitor's workbench: what is built, how it is spelled, what can be taken back; pure.

The page's buttons are its methods. Streamlit breaks a callback off where it touches the session's state while
another request is waiting, and the click is lost; these touch nothing but the workbench.
"""

from dataclasses import dataclass, field
from typing import Literal, Self

from mpi_stage.errors import StageError
from mpi_stage.operations.declaring.declaration import Value
from ui.drafts.builder import Pipeline

Spelling = Literal["Text", "JSON"]

MOST_PAST = 50
"""Changes that can be taken back."""


@dataclass
class Workbench:
    """One visitor's pipeline.

    Attributes
    ----------
    pipeline: as built so far.
    text_fault: what is wrong with the text as it stands in its field, which the pipeline has not become.
    version: the number of the text's field. A browser sends the values of all its inputs with each that
        changes, also of inputs for which a new value is still on its way to it: a field whose text the page
        itself sets anew gets another number, and what comes late for an old one changes nothing.
    run_asked: whether the pipeline is to be run, and has yet to be.

    """

    pipeline: Pipeline = field(default_factory=Pipeline)
    text_fault: str | None = None
    version: int = 0
    run_asked: bool = False
    _past: list[Pipeline] = field(default_factory=list)
    _picked: set[int] = field(default_factory=set)
    _text: str | None = None
    _spelling: Spelling = "Text"
    _read: str | None = None

    @classmethod
    def begun_with(cls, linked: str) -> Self:
        """Return a workbench with the pipeline of the link by which somebody came; a wrong one is shown."""
        try:
            return cls(Pipeline().rewritten(linked))
        except StageError as error:
            return cls(text_fault=error.public_message, _text=linked)

    def keep(self, changed: Pipeline) -> None:
        """Take a changed pipeline, and have a fresh text field spell it out."""
        self._remember(changed)
        self._respell()

    def pick(self, number: int, op: str) -> bool:
        """Append the operation picked in the list of that number; return False if that has been done already.

        A list is drawn for one pick, and what was picked may come several times: by its callback, with the
        drawing where that was left out, and with whatever else the browser sends before it has a fresh list.
        """
        if number in self._picked:
            return False
        self._picked.add(number)
        self.keep(self.pipeline.add(op))
        return True

    def remove(self, uid: int) -> None:
        """Take a step out."""
        self.keep(self.pipeline.remove(uid))

    def move(self, uid: int, by: int) -> None:
        """Move a step by so many places."""
        self.keep(self.pipeline.move(uid, by))

    def switch(self, uid: int, *, on: bool) -> None:
        """Switch a step on or off."""
        self.keep(self.pipeline.switch(uid, on=on))

    def enter(self, uid: int, name: str, value: Value) -> bool:
        """Set a parameter of a step; return whether that changes anything."""
        changed = self.pipeline.enter(uid, name, value)
        if changed.drafts == self.pipeline.drafts:
            return False
        self.keep(changed)
        return True

    def undo(self) -> None:
        """Go back to the pipeline before the last change; without one, do nothing."""
        if self._past:
            self.pipeline = self.pipeline.restored(self._past.pop())
            self._respell()

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to be taken back."""
        return bool(self._past)

    def ask_to_run(self) -> None:
        """Have the pipeline run at the next drawing."""
        self.run_asked = True

    def take_request_to_run(self) -> bool:
        """Return, once, whether the pipeline is to be run."""
        asked, self.run_asked = self.run_asked, False
        return asked

    def text(self, spelling: Spelling) -> str:
        """Return what stands in the text field at first; another spelling is another field."""
        if spelling != self._spelling:
            self._spelling = spelling
            self._respell()
        if self._text is None:
            self._text = self.pipeline.to_json_text() if spelling == "JSON" else self.pipeline.to_text()
        return self._text

    def is_unread(self, text: str) -> bool:
        """Whether the present field has a text that has not been taken."""
        return text != (self._text if self._read is None else self._read)

    def take_text(self, version: int, text: str) -> None:
        """Take the pipeline over from a text field, or remember what is wrong with the text."""
        if version != self.version:
            return
        self._read = text
        if self._spelling == "JSON" and text.strip() and not text.lstrip().startswith("["):
            self.text_fault = "a pipeline in JSON is a list: it begins with [ and ends with ]"
            return
        try:
            self._remember(self.pipeline.rewritten(text))
        except StageError as error:
            self.text_fault = error.public_message
        else:
            self.text_fault = None

    def fault(self) -> str | None:
        """Return what is wrong with the pipeline or its text, None if it can run (or is empty)."""
        if self.text_fault is not None or not self.pipeline.active:
            return self.text_fault
        try:
            self.pipeline.check()
        except StageError as error:
            return error.public_message
        return None

    def _remember(self, changed: Pipeline) -> None:
        """Put a pipeline in the place of the present one, which can be had back."""
        if changed.drafts != self.pipeline.drafts:
            self._past = [*self._past[1 - MOST_PAST :], self.pipeline]
        self.pipeline = changed

    def _respell(self) -> None:
        """Have a fresh text field spell the pipeline out."""
        self.version += 1
        self._text = self._read = self.text_fault = None
