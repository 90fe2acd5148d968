"""A plain installation is enough for what everybody does; for the rest the extra that is missing is named."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.cli.doctor import CHECKS, Health
from pipeline.config import Settings
from pipeline.errors import MissingExtraError
from pipeline.extras import EXTRAS, is_there, lack_of, require
from tests import plain_install

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COFFEE = ROOT / "pipeline" / "samples" / "coffee.jpg"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return plain_install.environment(tmp_path_factory.mktemp("plain"))


def halorow(plain, folder, *words):
    command = [sys.executable, "-m", "pipeline.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, check=False)


def brought_by(*extras):
    """Return the packages that extras bring, those that they name in turn included."""
    asked = [Requirement(text) for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    own = {canonicalize_name(one.name) for one in asked if one.name != "halorow"}
    named = {extra for one in asked if one.name == "halorow" for extra in one.extras}
    return own | (brought_by(*named) if named else set())


def test_nothing_that_only_an_extra_brings_is_found_in_a_plain_installation():
    """What the tests below hide is what is not there, and the modules asked for are among it."""
    hidden = plain_install.beyond_plain()
    assert [module for module in EXTRAS if not {module, module.rpartition(".")[0]} & hidden] == []
    assert {"numpy", "ray", "streamlit", "google.protobuf"}.isdisjoint(hidden)


@pytest.mark.parametrize(("module", "extra"), EXTRAS.items())
def test_an_extra_brings_the_module_that_it_is_named_for(module, extra):
    with_it = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]
    first, *rest = module.split(".")
    assert plain_install.owners()[".".join([first, *rest[:1]])] & plain_install.closure(with_it)


def test_all_brings_what_every_extra_for_users_does_but_that_for_gpus():
    assert brought_by("all") == brought_by(*set(EXTRAS.values()))


@pytest.mark.parametrize("module", EXTRAS)
def test_what_is_missing_is_told_with_the_extra_that_brings_it(module, monkeypatch):
    assert lack_of(module, "that") is None
    monkeypatch.setitem(sys.modules, module, None)
    assert not is_there(module)
    with pytest.raises(MissingExtraError) as error:
        require(module, "gs://bucket/scan.tif")
    assert error.value.public_message == (
        f"gs://bucket/scan.tif needs the extra `{EXTRAS[module]}`, which is not installed:"
        f" pip install 'halorow[{EXTRAS[module]}]'"
    )
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "words", [("run", COFFEE, "out.tif", "lowpass", "canny", "--ranks", "2"), ("--help",)]
)
def test_a_plain_installation_does(words, plain, tmp_path):
    done = halorow(plain, tmp_path, *words)
    assert (done.returncode, done.stderr.count("rror")) == (0, 0), done.stderr


def test_a_bucket_without_its_extra_is_refused_before_anything_is_done(plain, tmp_path):
    done = halorow(plain, tmp_path, "run", "gs://bucket/scan.tif", "out.tif", "invert")
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "needs the extra `gcs`, which is not installed: pip install 'halorow[gcs]'"
    )


def test_the_provider_of_a_cloud_without_its_extra_says_so(plain, tmp_path):
    command = [sys.executable, "-c", "import pipeline.cluster.gce_provider"]
    done = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("pip install 'halorow[gce]'")


LOGIN = {
    "login_metadata_url": "https://id.example/.well-known/openid-configuration",
    "login_client_id": "halorow",
    "login_client_secret": "of the tests",
    "link_secret": "of the tests",
}


def test_the_doctor_names_what_the_settings_ask_for_and_what_else_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "authlib", None)
    monkeypatch.setitem(sys.modules, "apprise", None)
    settings = Settings.load(find_service=False, data_dir=tmp_path, **LOGIN)
    ill, well = CHECKS["extras"](settings)
    assert (ill.health, ill.remedy) == (Health.ILL, "pip install 'halorow[login]'")
    assert (well.health, well.text.rpartition(": ")[2]) == (Health.WELL, "chat")
