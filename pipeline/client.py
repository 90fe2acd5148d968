"""The Python client: what the page, the command line and ``jobs/`` use.

::

    with Client.connect() as client:
        job = client.submit("photo.jpg", "gaussian:sigma=2 sobel")
        for event in client.watch(job.id):
            print(event.status.state, event.status.fraction_done)
        client.download(job.id, Path("edges.jpg"))
"""

from typing import Self

from pipeline.client_sides.fetching import Fetching
from pipeline.client_sides.finding import Finding
from pipeline.client_sides.steering import Steering
from pipeline.client_sides.submitting import Submitting
from pipeline.config import Settings
from pipeline.connect import connect_parts
from pipeline.decisions.people import Person
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.desk import Desk
from pipeline.submitting.orders import Order

__all__ = ["Client", "Order"]


class Client(Submitting, Steering, Fetching, Finding):
    """Submits jobs, follows them, and hands out what they make; safe to share between threads.

    Each side of it is a class of its own in ``pipeline.client_sides``.
    """

    @classmethod
    def connect(cls, settings: Settings | None = None, *, patience_s: float | None = None) -> Self:
        """Return a client of the service that the settings name, by default the one that runs here.

        Every call waits for a Redis that is away for up to ``patience_s`` seconds, by default
        20. Raises SettingsError; QueueUnavailableError if the service does not answer.
        """
        chosen = settings or Settings.load()
        parts = connect_parts(chosen, patience_s=patience_s)
        try:
            parts.queue.contains("nothing")
        except BaseException:
            parts.close()
            raise
        return cls(parts, chosen)

    def acting_for(self, person: Person) -> "Client":
        """Return a client with the same connections for somebody who has logged in."""
        return Client(self._parts, self._settings, person)

    def close(self) -> None:
        """Give the connections to the service back; those of :meth:`acting_for` are the same."""
        self._parts.close()

    def desk(self, user: str | None = None) -> Desk:
        """Return where a user chooses how to be told, else the service's own; a person theirs."""
        name = self._gate.person.name if self._gate.person is not None else user or self._settings.user
        book = ChoiceBook(self._parts.store, self._settings.notify_rules)
        secret = self._settings.link_secret.get_secret_value().encode()
        return Desk(self._parts, book, name, secret)

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
