"""Log lines: JSON, with the job at hand, without secrets."""

import json
import subprocess
import sys

import pytest

from pipeline import logs
from pipeline.logs import HIDDEN, redacted
from pipeline.trace_ids import trace_of


@pytest.fixture
def lines(capsys):
    logs.configure("info")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_what_was_bound(lines):
    log = logs.get_logger(worker="w1")
    with logs.bound(job="j1", attempt=2):
        log.info("attempt started", rows=7)
    log.debug("too fine")
    log.warning("after")
    first, second = lines()
    assert first["timestamp"].endswith("Z")
    del first["timestamp"], second["timestamp"]
    assert first.pop("trace") == trace_of("j1")
    assert first == {
        "event": "attempt started", "level": "info", "worker": "w1", "job": "j1", "attempt": 2, "rows": 7
    }  # fmt: skip
    assert second == {"event": "after", "level": "warning", "worker": "w1"}


def test_an_exception_is_logged_with_its_trace_and_without_its_secrets(lines):
    url = "redis://:hunter2@host/0"
    try:
        int(url)
    except ValueError:
        logs.get_logger().exception("failed")
    (line,) = lines()
    assert "ValueError" in line["exception"]
    assert "hunter2" not in json.dumps(line)


@pytest.mark.parametrize(
    "value",
    [
        "connecting to redis://:hunter2@10.0.0.1:6379/0 now",
        "rediss://user:hunter2@host/0",
        "http://host/files/a.tif?method=GET&signature=hunter2&expires=9",
        "https://storage/b/o?X-Goog-Signature=hunter2",
        {"redis_password": "hunter2", "headers": {"Authorization": "hunter2"}},
        ["redis://:hunter2@h", ("redis://:hunter2@h",)],
    ],
)
def test_secrets_are_hidden_wherever_they_stand(value):
    text = json.dumps(redacted(value))
    assert "hunter2" not in text
    assert HIDDEN in text


@pytest.mark.parametrize("value", ["a plain line", "http://host:8501/page?a=b", 7, None, "mail a@b.c"])
def test_what_is_no_secret_stays(value):
    assert redacted(value) == value


def test_importing_the_module_does_not_load_structlog():
    code = "import sys, pipeline.logs; sys.exit('structlog' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
