"""The event bus in this process's memory: for tests of what stands on it."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock

from pipeline.models import (
    Event,
)


class MemoryBus:
    """Implements ``pipeline.ports.EventBus``; safe between threads of this process."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self._lock = Lock()
        self._subscriptions: list[MemorySubscription] = []

    def publish(self, event: Event) -> None:
        """Send an event to all who listen to its job or to everything."""
        with self._lock:
            listening = [ear for ear in self._subscriptions if ear.wants(event)]
        for ear in listening:
            ear.hear(event)

    def subscribe(self, job_id: str | None = None) -> "MemorySubscription":
        """Listen to one job, or to all; the subscription stands when this returns."""
        return self._join(MemorySubscription(job_id, self._forget))

    def subscribe_endings(self) -> "MemorySubscription":
        """Listen to how all jobs end; the subscription stands when this returns."""
        return self._join(MemorySubscription(None, self._forget, endings=True))

    def _join(self, subscription: "MemorySubscription") -> "MemorySubscription":
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def _forget(self, subscription: "MemorySubscription") -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)


class MemorySubscription:
    """An open ear on a :class:`MemoryBus`."""

    def __init__(
        self, job_id: str | None, forget: Callable[["MemorySubscription"], None], *, endings: bool = False
    ) -> None:
        """Listen to ``job_id`` or all jobs, to ``endings`` alone or everything; ``forget`` on closing."""
        self._job_id = job_id
        self._endings = endings
        self._forget = forget
        self._events = SimpleQueue[Event | None]()

    def wants(self, event: Event) -> bool:
        """Whether an event is for this ear."""
        return self._job_id in {None, event.job_id} and (event.status.state.is_final or not self._endings)

    def hear(self, event: Event) -> None:
        """Keep an event for ``next``."""
        self._events.put(event)

    def next(self, timeout_s: float) -> Event | None:
        """Return the next event, None if none came within ``timeout_s`` seconds or after ``close``."""
        try:
            return self._events.get(timeout=max(0.0, timeout_s))
        except Empty:
            return None

    def close(self) -> None:
        """Stop listening, and wake whoever waits."""
        self._forget(self)
        self._events.put(None)
