"""The notices for the page on Redis: one short stream per user."""

from collections.abc import Sequence
from typing import Any

import redis

from pipeline.decisions.notices import notices_after
from pipeline.models import Notice
from pipeline.redis import keys
from pipeline.redis.connection import redis_errors
from pipeline.redis.together import Step, run_together

KEPT = 200
"""Notices kept per user; the page shows the last few."""

KEPT_S = 7 * 24 * 3600

# Keys: the user's stream, the mark that this end has been told. Arguments: JSON, notices kept, seconds.
_POST = """
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[3]) then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], '*', 'json', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class RedisNoticeBoard:
    """The latest notices for each user; implements ``pipeline.ports.NoticeBoard``. Safe between threads."""

    def __init__(self, client: redis.Redis) -> None:
        """Use ``client``."""
        self._client = client
        self._post = client.register_script(_POST)

    def post(self, notice: Notice) -> bool:
        """Add a notice; False if the job's end (``notice.id``) has been told before."""
        return bool(run_together(self._client, [self._posting(notice)])[0])

    def post_all(self, notices: Sequence[Notice]) -> None:
        """Add those of the notices whose ends have not been told before, in one round trip."""
        run_together(self._client, [self._posting(notice) for notice in notices])

    def read(self, user: str, after: str | None) -> list[Notice]:
        """Return the notices after the one with the id ``after``, all if None or no longer known."""
        with redis_errors(self._client):
            entries: Any = self._client.xrange(keys.notices(user))
        return notices_after([Notice.model_validate_json(fields["json"]) for _, fields in entries], after)

    def _posting(self, notice: Notice) -> Step:
        names = [keys.notices(notice.user), keys.told(notice.id)]
        return Step(self._post, names, [notice.model_dump_json(), KEPT, KEPT_S])
