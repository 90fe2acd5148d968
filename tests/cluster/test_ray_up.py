"""``ray up`` and ``ray down`` with ``cluster.yaml``, against Compute Engine's protocol.

The machine that is reached by ssh notes what it is told instead of doing it.
"""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fakes.gce import FakeGce

from jobs.filter_one import parse

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent
# The command `ray`, which looks every five seconds whether a machine has gone; here it is gone at once.
RAY = """
from ray.autoscaler._private import commands
from ray.scripts.scripts import main
commands.POLL_INTERVAL = 0.1
main()
"""
TIMEOUT_S = 120

# In place of ssh and rsync: it notes the words, and answers what Ray's launcher asks a machine about.
MACHINE = f"""#!{sys.executable}
import json, pathlib, sys
notes = pathlib.Path(__file__).parent / "notes"
program, words = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
before = notes.read_text() if notes.exists() else ""
with notes.open("a") as file:
    file.write(json.dumps([program, *words]) + "\\n")
command = words[-1]
for asked, answer in {{
    "command -v docker": "/usr/bin/docker",
    ".State.Running": str("docker run" in before).lower(),
    ".Config.Env": json.dumps(["HOME=/home/halorow"]),
    ".Mounts": "[]",
    "printenv HOME": "/home/halorow",
    "/proc/meminfo": "MemAvailable: 16000000 kB",
    ".Runtimes": "runc",
}}.items():
    if asked in command:
        print(answer)
"""


class Operator:
    """Whoever runs Ray's launcher: with a home, keys, and a machine that is reached by ssh and rsync."""

    def __init__(self, folder: Path, gce: FakeGce) -> None:
        self.gce = gce
        self._bin, home = folder / "bin", folder / "home"
        for place in (self._bin, home / ".ssh", home / ".ray"):
            place.mkdir(parents=True)
        for program in ("ssh", "rsync"):
            path = self._bin / program
            path.write_text(MACHINE)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        (home / ".ssh" / "halorow").write_text("a key")
        (home / ".ray" / "auth_token").write_text("a token")
        self._env = {
            **os.environ,
            "HOME": str(home),
            "PATH": os.pathsep.join([str(self._bin), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "GOOGLE_APPLICATION_CREDENTIALS": str(gce.write_key(folder / "key.json")),
            "RAY_USAGE_STATS_ENABLED": "0",
            "TMPDIR": str(folder),
        }
        config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
        config["provider"]["endpoint"] = gce.endpoint
        self._config = folder / "cluster.yaml"
        self._config.write_text(yaml.safe_dump(config))

    def ray(self, command: str, *words: str) -> str:
        """Run a command of Ray's launcher; return what it said."""
        argv = [sys.executable, "-c", RAY, command, str(self._config), *words]
        done = subprocess.run(
            argv, env=self._env, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def told(self) -> list[list[str]]:
        """Return what machines were told so far: program and words."""
        return [json.loads(line) for line in (self._bin / "notes").read_text().splitlines()]


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    with FakeGce() as gce:
        made = Operator(tmp_path_factory.mktemp("operator"), gce)
        made.ray("up", "--yes", "--no-config-cache")
        yield made


@pytest.fixture
def commands(operator):
    return [words[-1] for words in operator.told() if words[0] == "ssh"]


def test_the_head_is_made_and_is_the_only_machine(operator):
    (head,) = operator.gce.machines.values()
    assert head["labels"]["ray-node-type"] == "head"
    assert head["labels"]["ray-node-status"] == "up-to-date"
    assert head["networkInterfaces"][0]["networkIP"] == "10.20.0.2"
    assert head["serviceAccounts"][0]["email"].startswith("halorow-head@")


def test_the_head_is_reached_by_its_name_through_the_proxy_and_not_by_an_address(operator):
    (name,) = operator.gce.machines
    for words in operator.told():
        assert any("start-iap-tunnel" in word for word in words), words
        assert name in " ".join(words)
        assert "10.20.0.2" not in " ".join(words)


def test_the_container_gets_settings_and_token_and_no_secret_in_a_command(commands, operator):
    (run,) = [command for command in commands if "docker run" in command]
    assert "--env-file /etc/halorow.env" in run
    assert "RAY_AUTH_MODE=token" in run
    assert ":/home/halorow/.ray/auth_token" in run
    assert " bash)" in run
    assert not [words for words in operator.told() if "a token" in " ".join(words)]


def test_ray_and_the_service_are_started_in_this_order(commands):
    started = [command for command in commands if "ray start --head" in command or "scheduler" in command]
    assert "ray start --head" in started[0]
    assert "RAY_enable_autoscaler_v2=1" in started[0]
    assert "pipeline.cluster.scheduler" in started[-1]


def test_a_job_is_sent_as_one_script_and_its_words_arrive_as_they_are_documented(operator):
    line = re.search(
        r"ray submit cluster\.yaml (jobs/filter_one\.py) (.*)", (ROOT / "docs/deploy-gce.md").read_text()
    )
    assert line is not None
    script, words = ROOT / line[1], line[2].split()

    operator.ray("submit", str(script), *words)

    told = operator.told()
    assert [sent for sent in told if sent[0] == "rsync" and sent[-2] == str(script)]
    (command,) = [sent[-1] for sent in told if "python /home/halorow/filter_one.py" in sent[-1]]
    found = re.search(r"python /home/halorow/filter_one\.py ([^()]*)\)", command)
    assert found is not None
    arguments = parse(shlex.split(found[1]))
    assert arguments.input == "gs://your-bucket/halorow/scan.tif"
    assert arguments.steps == ["gaussian:sigma=2", "sobel"]


def test_everything_is_taken_down(operator):
    operator.ray("down", "--yes")

    assert operator.gce.machines == {}
