"""The two queues, with a way to let time pass and to lose all."""

import time

from pipeline.memory.queue import MemoryQueue
from pipeline.models import Lane
from pipeline.redis import keys
from pipeline.redis.queue import RedisQueue

LEASE_S = 30.0
LANE = Lane.SINGLE


class MemoryRig:
    def __init__(self):
        self.passed_s = 0.0
        self.queue = MemoryQueue(lease_s=LEASE_S, clock=lambda: time.monotonic() + self.passed_s)

    def pass_time(self, seconds):
        self.passed_s += seconds

    def forget_everything(self):
        self.queue.forget_everything()


class RedisRig:
    def __init__(self, client):
        self.client = client
        self.queue = RedisQueue(client, lease_s=LEASE_S)

    def pass_time(self, seconds):
        """Age every lease, every delay and every user's rate inside Redis."""
        milliseconds = round(seconds * 1000)
        for lane in Lane:
            for key in (keys.delayed(lane), keys.leases(lane)):
                for job, _ in self.client.zscan_iter(key):
                    self.client.zincrby(key, -milliseconds, job)
        for key in self.client.scan_iter(keys.rate("*")):
            self.client.hincrbyfloat(key, "at", -milliseconds)

    def forget_everything(self):
        self.client.flushall()
