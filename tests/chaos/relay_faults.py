"""What is done to the connections between the service and Redis: cut, held up, and left without answers."""

import time
from collections.abc import Callable
from random import Random

from pipeline.redis.connection import SOCKET_TIMEOUT_S
from tests.chaos.ground import Ground
from tests.chaos.relay import Relay
from tests.embedded_service import QUICK

LEASE_S = float(QUICK["HALOROW_LEASE_S"])
CUT_S = LEASE_S + 1.0
"""Past the lease, which nobody can renew meanwhile."""

STALL_S = SOCKET_TIMEOUT_S + 1.0
"""Longer than anybody waits for an answer."""

MUTE_S = 0.5


def during(seconds: float, what: Callable[[Relay], None]) -> Callable[[Ground, Random], bool]:
    """Return a fault that befalls all connections for some seconds."""

    def strike(ground: Ground, _: Random) -> bool:
        if ground.relay is None or not ground.relay.connections:
            return False
        what(ground.relay)
        time.sleep(seconds)  # the fault lasts
        ground.relay.heal()
        return True

    return strike


cut_off = during(CUT_S, Relay.cut)
reset_once = during(0.0, Relay.cut)
hold_up = during(STALL_S, Relay.stall)
lose_answers = during(MUTE_S, Relay.mute)
