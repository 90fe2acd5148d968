"""The key table says the truth about what is in Redis."""

import re
from datetime import UTC, datetime

from pipeline.decisions.quotas import Limits
from pipeline.models import (
    AlertsStatus,
    ClusterStatus,
    JobState,
    JobStatus,
    Lane,
    Load,
    Notice,
    Sample,
    Share,
    Vitals,
)
from pipeline.redis import keys
from pipeline.redis.key_table import KEY_TABLE
from pipeline.redis.ledger import RedisLedger
from pipeline.redis.notices import RedisNoticeBoard
from pipeline.redis.operators import RedisOperatorBoard
from pipeline.redis.queue import RedisQueue
from pipeline.redis.status import RedisStatusBoard


def patterns():
    """Return each row by the regular expression of its pattern."""
    return {
        re.sub(r"<\w+>", "[^:]+", row.pattern).replace("high|normal|low", "(high|normal|low)"): row
        for row in KEY_TABLE
    }


def test_every_key_in_use_stands_in_the_table_with_its_type_and_lifetime(redis_client):
    queue, board = RedisQueue(redis_client), RedisStatusBoard(redis_client)
    notices = RedisNoticeBoard(redis_client)
    queue.admit(Lane.SINGLE, "d", Share(user="ada"), Limits(user_jobs_per_minute=1))
    for job, priority in [("a", 1), ("b", 1), ("c", 0), ("d", -1), ("e", -1)]:
        queue.enqueue(Lane.SINGLE, job, priority, 60 * (job == "e"))
    queue.claim(Lane.SINGLE, "w", 0)
    RedisLedger(redis_client).add(Lane.SINGLE, "a", Load(pixels=1, core_s=1.0))
    status = JobStatus(
        id="a",
        state=JobState.SUCCEEDED,
        lane=Lane.SINGLE,
        input_name="x",
        pipeline="invert",
        created_at=datetime.now(UTC),
    )
    board.put(status)
    for job, state in (("b", JobState.DEAD), ("c", JobState.FAILED)):
        ended = {"id": job, "state": state, "finished_at": datetime.now(UTC)}
        board.put(status.model_copy(update=ended))
    board.request_cancel("a")
    board.mark_whole()
    board.put_cluster(ClusterStatus())
    notices.post(Notice(id="n", user="ada", job_id="a", text="done"))
    operators = RedisOperatorBoard(redis_client)
    amounts = ("memory_used_bytes", "memory_total_bytes", "disk_used_bytes", "disk_total_bytes")
    operators.put_vitals("n", Vitals(cpu_percent=1.0, **dict.fromkeys(amounts, 1)))
    operators.add_sample(Sample())
    operators.put_alerts(AlertsStatus())

    kinds = {"zset": "sorted set"}
    found = set()
    for key in redis_client.scan_iter():
        row = next(row for pattern, row in patterns().items() if re.fullmatch(pattern, key))
        kind = redis_client.type(key)
        assert kinds.get(kind, kind) == row.type
        assert (redis_client.ttl(key) == -1) == row.ttl.startswith("none")
        found.add(row.pattern)
    assert found == {row.pattern for row in KEY_TABLE if row.type != "channel"}


def test_all_names_start_with_the_prefix():
    assert all(row.pattern.startswith(keys.PREFIX) for row in KEY_TABLE)


def test_channels_are_those_of_the_table():
    channels = {row.pattern for row in KEY_TABLE if row.type == "channel"}
    assert channels == {keys.channel(), keys.channel("<job>"), keys.endings()}
