"""The image: what it is built from, what may run in it, and that it is pinned and holds no secret."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-gpu.lock")


def instructions(text):
    """Return the instructions of each stage as (word, rest); those before the first stage come first."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    stages = [[]]
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, rest = line.split(None, 1)
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, " ".join(rest.split())))
    return stages


def pinned(path):
    """Return the version of each package in a lock; several where they depend on the version of Python."""
    found = {}
    for name, number in re.findall(r"(?m)^([a-z0-9][a-z0-9-]*)==([^ ;\\]+)", path.read_text()):
        found.setdefault(name, set()).add(number)
    return found


@pytest.fixture(scope="module")
def stages():
    return instructions((ROOT / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def everything(stages):
    return [one for stage in stages for one in stage]


@pytest.fixture(scope="module")
def copied(everything):
    """Give what is copied from the repository."""
    copies = [rest.split()[:-1] for word, rest in everything if word == "COPY" and "--from" not in rest]
    return {source for sources in copies for source in sources}


def test_every_stage_begins_with_one_base_that_has_a_full_version(stages):
    (word, default), *_ = stages[0]
    assert word == "ARG"
    assert re.fullmatch(r"PYTHON_IMAGE=python(:\d+\.\d+\.\d+-slim-\w+|@sha256:[0-9a-f]{64})", default)
    assert len(stages) == 3
    assert all(stage[0][1].split()[0] == "${PYTHON_IMAGE}" for stage in stages[1:])


def test_the_python_of_the_image_is_one_that_the_project_runs_on(stages):
    found = re.search(r"python:(\d+\.\d+\.\d+)", stages[0][0][1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert found is not None
    assert found[1] in SpecifierSet(project["requires-python"])


def test_the_ray_of_the_lock_is_the_one_that_is_tested():
    assert pinned(ROOT / LOCKS[0])["ray"] == {version("ray")}


def test_everything_is_installed_as_locked(everything):
    commands = [
        command
        for word, rest in everything
        if word == "RUN"
        for command in rest.split("&&")
        if "pip install" in command
    ]
    assert len(commands) == 3
    for command in commands:
        words = command.split()
        held = "--require-hashes" in words or all(f"--constraints {lock}" in command for lock in LOCKS)
        assert held or {"--no-deps", "--build-constraints"} <= set(words), command


def test_every_package_that_the_image_asks_for_is_in_a_lock(everything):
    (command,) = [rest for word, rest in everything if word == "RUN" and "--requirements pyproject" in rest]
    asked = re.search(r"--requirements pyproject\.toml --extra all (.*)$", command)
    assert asked is not None
    names = [re.sub(r"\[.*", "", name.strip("'")) for name in asked[1].split()]
    locked = pinned(ROOT / LOCKS[0]) | pinned(ROOT / LOCKS[1])
    assert names
    assert set(names) <= set(locked)


def test_the_lock_for_gpus_disagrees_with_the_other_in_nothing():
    both = pinned(ROOT / LOCKS[0]).keys() & pinned(ROOT / LOCKS[1]).keys()
    assert both == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock):
    blocks = re.split(r"(?m)^(?=[a-z0-9])", (ROOT / lock).read_text())
    assert all("--hash=sha256:" in block for block in blocks if block.strip())


def test_only_what_is_named_gets_into_the_image_and_all_of_it_exists(everything, copied):
    assert not [rest for word, rest in everything if word == "ADD"]
    assert "." not in copied
    assert all((ROOT / source).exists() for source in copied)
    ignored, *others = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    assert ignored == "*"
    assert {line[1:] for line in others if line[0] == "!"} == copied


def test_every_package_of_the_project_is_in_the_image(copied):
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    assert {name.rstrip("*") for name in found["include"]} <= copied
    assert "jobs" in copied


def test_no_secret_is_built_in(everything):
    given = [rest for word, rest in everything if word in {"ENV", "ARG"}]
    assert given
    assert not [rest for rest in given if re.search(r"(?i)password|secret|token|credential|_key", rest)]


def test_no_package_of_the_system_drags_others_in_or_leaves_its_lists(everything):
    commands = [rest for word, rest in everything if word == "RUN" and "apt-get install" in rest]
    assert commands
    for command in commands:
        assert "--no-install-recommends" in command
        assert "rm -rf /var/lib/apt/lists/*" in command


def test_the_last_stage_runs_as_a_user_whose_files_ray_can_mount(stages):
    last = stages[-1]
    user = [rest for word, rest in last if word == "USER"]
    assert user == ["halorow"]
    created = [rest for word, rest in last if word == "RUN" and "useradd --uid 1000" in rest]
    assert created
    env = " ".join(rest for word, rest in last if word == "ENV")
    assert "HOME=/home/halorow" in env  # Ray's launcher reads it to know where files go


def test_rays_launcher_finds_what_it_needs_and_no_compiler_is_left(stages):
    installed = " ".join(rest for word, rest in stages[-1] if word == "RUN")
    assert {"rsync", "openssh-client"} <= set(installed.split())
    assert "gcc" not in installed
    # Debian's /etc/profile sets PATH, and runs these files after that.
    assert "echo 'PATH=/opt/halorow/bin:$PATH' > /etc/profile.d/halorow.sh" in installed


def test_rays_launcher_can_start_its_shell_and_others_the_service(stages):
    words = dict(stages[-1])
    assert "ENTRYPOINT" not in words
    assert json.loads(words["CMD"]) == ["halorow", "up"]


def test_the_image_tells_whether_it_is_well(stages):
    health = dict(stages[-1])["HEALTHCHECK"]
    command = json.loads(health[health.index("[") :])
    assert command[:2] == ["python", "-m"]
    assert (ROOT / command[2].replace(".", "/")).with_suffix(".py").exists()
