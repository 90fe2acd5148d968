"""Ray actors whose main thread rests while nobody calls them."""

import threading
import time
from typing import Any

import ray

REST_S = 1.0
"""How long the main thread rests at a time. A call from outside waits for its end."""

FIRST_REST_S = 5.0
"""After the actor's start: until then calls are answered at once, for somebody waits for the start."""


class Resting:
    """Base of actors that work in threads of their own, and are called now and then.

    Between calls Ray has an actor's main thread look for signals a hundred times a second, which costs
    as much as all else that an idle actor does. It does not look during a call, so the actor calls itself:
    each call sleeps, and asks for the next. What has come meanwhile is done in between. Only for actors
    that do one call at a time: those of others are done in further threads.
    """

    def rest_from_now_on(self) -> None:
        """Begin to rest in a while; for the actor's ``__init__``."""
        self._itself: Any = ray.get_runtime_context().current_actor
        timer = threading.Timer(FIRST_REST_S, self._rest_again)
        timer.daemon = True
        timer.start()

    @ray.method(max_task_retries=0, enable_task_events=False)
    def rest(self) -> None:
        """Sleep for a while, and ask to be called again."""
        time.sleep(REST_S)
        self._rest_again()

    def _rest_again(self) -> None:
        self._itself.rest.remote()
