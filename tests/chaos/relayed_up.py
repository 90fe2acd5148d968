"""``halorow up`` whose programs reach Redis through a relay: ``python -m tests.chaos.relayed_up PORT up …``.

The service is the real one. Only the port that its connection file tells is the relay's; the supervisor
itself, which starts Redis, looks after it directly.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline import config
from pipeline.cli.main import main

_write_connection = config.write_connection


def relayed(url: str, port: int) -> str:
    """Return a URL of Redis with the port of a relay."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl()


def start(port: int, words: list[str]) -> None:
    """Run ``halorow`` with ``words``."""

    def write(settings: config.Settings) -> Path:
        url = SecretStr(relayed(settings.redis_url.get_secret_value(), port))
        return _write_connection(settings.model_copy(update={"redis_url": url}))

    config.write_connection = write  # before the supervisor's module takes it from there
    main(words)


if __name__ == "__main__":
    start(int(sys.argv[1]), sys.argv[2:])
