"""What all sides of a client stand on."""

from pipeline.access.gate import Gate
from pipeline.access.refusals import log_refusal
from pipeline.config import Settings
from pipeline.decisions.people import Person
from pipeline.errors import KeyRefusedError
from pipeline.parts import Parts
from pipeline.submitting.outside import is_outside


class Side:
    """Acts on the parts of the service on behalf of somebody, or of everybody."""

    def __init__(self, parts: Parts, settings: Settings, person: Person | None = None) -> None:
        """Use ``parts``, with ``settings`` for the defaults of a submission, on behalf of ``person``.

        A person sees their own jobs alone: for every method another's are not there
        (JobNotFoundError). Without a person everybody's are, as for an operator.
        """
        self._parts = parts
        self._settings = settings
        self._gate = Gate(parts.records, person)

    @property
    def _user(self) -> str:
        """In whose name things are done where nobody says."""
        return self._gate.submitter(None, self._settings.user)

    def _may_read(self, key: str) -> None:
        """Raise KeyRefusedError for what a person may not read."""
        person = self._gate.person
        if person is not None:
            try:
                self._parts.places.check_source(key, person.name, self._parts.records.owner)
            except KeyRefusedError as error:
                log_refusal("object", error, key=key, person=person.name)
                raise

    def _may_read_below(self, uri: str) -> None:
        """Raise KeyRefusedError where what begins so is not all for a person to read."""
        if self._gate.person is not None and not is_outside(self._parts.store, uri):
            self._may_read(self._parts.store.key_of(f"{uri.partition('*')[0]}x"))
