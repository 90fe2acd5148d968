"""Every key and channel in Redis: what it holds, for how long, who writes and who reads it.

Everything here can be lost. The object store holds the truth, and reconciliation builds it anew. The names
are made by ``pipeline.redis.keys``; a test holds both together, and the types and lifetimes to those in use.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyPattern:
    """One row of the table: what a key holds, how long it lives, who writes and who reads it."""

    pattern: str
    type: str
    ttl: str
    writers: str
    readers: str
    holds: str


KEY_TABLE = (
    KeyPattern(
        "halorow:1:queue:<lane>:waiting:high|normal|low",
        "sorted set",
        "none; members leave when handed out",
        "client, reconciler, workers, scheduler",
        "workers, scheduler, autoscaler",
        "ids of jobs that wait in a band, scored by their tag in virtual time (pipeline.decisions.sharing)",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:shares:high|normal|low",
        "sorted set",
        "none; members leave when the band's virtual time has passed them",
        "client, reconciler, workers, scheduler",
        "the same",
        "users, scored by where their jobs end in the band's virtual time",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:delayed",
        "sorted set",
        "none; members leave when due",
        "client, workers, scheduler, reconciler",
        "whoever claims",
        "ids of jobs that wait for a retry or are being submitted, scored by when they are due (ms since"
        " 1970, Redis' clock)",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:leases",
        "sorted set",
        "none; members leave on release",
        "workers, scheduler",
        "whoever claims, autoscaler",
        "ids of held jobs, scored by when their leases run out (ms since 1970, Redis' clock)",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:holders",
        "hash",
        "none; fields leave on release",
        "workers, scheduler",
        "the same",
        "by id of a held job the entry of its claim, its deliveries and the consumer",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:members",
        "hash",
        "none; fields leave on release",
        "client, reconciler, workers, scheduler",
        "reconciler",
        "id of every job in the lane, with its band, tag, cost, pixels, the call that put it there, and user",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:load",
        "hash",
        "none; fields leave with a user's last job",
        "client, reconciler, workers, scheduler",
        "client",
        "pixels that each user has in the lane, waiting or held",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:turn",
        "hash",
        "none",
        "client, reconciler, workers, scheduler",
        "the same",
        "virtual time of each band, how often it was passed over, and how fast the lane empties",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:wake",
        "stream",
        "none; one entry",
        "client, reconciler, workers, scheduler",
        "workers, scheduler",
        "a new entry whenever a job begins to wait: what waiting claims listen to",
    ),
    KeyPattern(
        "halorow:1:queue:<lane>:answer:<consumer>",
        "string",
        "60 s",
        "workers, scheduler",
        "the same consumer",
        "the last answer to a consumer, so that a call repeated over a broken connection is done once",
    ),
    KeyPattern(
        "halorow:1:ledger:<lane>:jobs",
        "hash",
        "none; fields leave when jobs end",
        "client, reconciler, workers, scheduler",
        "the same",
        "id of every job in the lane, with its pixels and its core-milliseconds by the cost model",
    ),
    KeyPattern(
        "halorow:1:ledger:<lane>:sums",
        "hash",
        "none",
        "client, reconciler, workers, scheduler",
        "scheduler",
        "their sums, those of all jobs that have succeeded, what these took in truth, and the retries",
    ),
    KeyPattern(
        "halorow:1:rate:<user>",
        "hash",
        "until it is full again",
        "client",
        "client",
        "submissions that a user may make at once, and when that was worked out (ms, Redis' clock)",
    ),
    KeyPattern(
        "halorow:1:cluster",
        "string",
        "1 minute",
        "scheduler",
        "client",
        "nodes, lanes and what the autoscaler wants, as JSON",
    ),
    KeyPattern(
        "halorow:1:vitals:<node>",
        "string",
        "1 minute",
        "workers, scheduler",
        "scheduler",
        "CPU, memory and disk of a node, as JSON",
    ),
    KeyPattern(
        "halorow:1:samples",
        "stream",
        "none; a day's entries",
        "scheduler",
        "client, page",
        "the queue and the nodes over time, as JSON",
    ),
    KeyPattern(
        "halorow:1:alerts",
        "string",
        "none",
        "notifier",
        "client, page, scheduler",
        "alerts now and lately, and when the rules were last applied, as JSON; changes are in the store too",
    ),
    KeyPattern(
        "halorow:1:status:<job>",
        "hash",
        "30 days after the job's end (setting), none before",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "the job's status as JSON, with state, attempt and user beside it for comparison",
    ),
    KeyPattern(
        "halorow:1:jobs",
        "sorted set",
        "none; members leave when their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page",
        "ids of all jobs, scored by when they were created (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:1:jobs:user:<user>",
        "sorted set",
        "none; members leave when their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page",
        "the same for one user's jobs",
    ),
    KeyPattern(
        "halorow:1:jobs:failed",
        "sorted set",
        "none; members leave when they are tried again, deleted, or their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "ids of the jobs that are failed, scored by when they ended (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:1:jobs:dead",
        "sorted set",
        "none; members leave when they are tried again, deleted, or their status has expired",
        "client, workers, scheduler, reconciler",
        "client, page, notifier",
        "ids of the dead letters, scored by when they ended (seconds since 1970)",
    ),
    KeyPattern(
        "halorow:1:jobs:whole",
        "string",
        "none",
        "reconciler",
        "reconciler",
        "the run of the server that has lost nothing; gone or another, and statuses are made anew",
    ),
    KeyPattern(
        "halorow:1:cancel:<job>",
        "string",
        "1 day",
        "client, page",
        "workers, scheduler",
        "there while the job has been asked to stop",
    ),
    KeyPattern(
        "halorow:1:notices:<user>",
        "stream",
        "7 days after the last notice; 200 entries",
        "notifier",
        "client, page",
        "lines that tell a user how jobs and batches of theirs ended, and operators of alerts, as JSON",
    ),
    KeyPattern(
        "halorow:1:told:<notice>",
        "string",
        "7 days",
        "notifier",
        "notifier",
        "there if the notice of this event has been posted, so that it is posted once",
    ),
    KeyPattern(
        "halorow:1:events:job:<job>",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "client, page",
        "events of one job as JSON",
    ),
    KeyPattern(
        "halorow:1:events:all",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "client, page",
        "events of every job as JSON",
    ),
    KeyPattern(
        "halorow:1:events:endings",
        "channel",
        "kept for nobody",
        "client, workers, scheduler",
        "notifier",
        "of the same those that tell how a job ended",
    ),
)
