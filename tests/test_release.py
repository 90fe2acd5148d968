"""What is released works away from the repository: source archive, wheel, installed files."""

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

ROOT = Path(__file__).parent.parent
_BUILD = "import sys; from setuptools import build_meta as b; print(getattr(b, sys.argv[1])(sys.argv[2]))"


def build(what, folder, out):
    """Build with what is installed, as pip does without isolation; return the file."""
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, what, str(out)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out / done.stdout.split()[-1]


def tracked(*folders):
    """Return the names of the files under version control, and of those about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *folders]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listing.split("\0") if name]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Give the source archive, made of a copy of what is tracked."""
    copy = tmp_path_factory.mktemp("copy")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\0"
    ):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    return build("build_sdist", copy, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Give the wheel that the source archive makes."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return build("build_wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Give the folder that the wheel was installed in."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-index", "--target", str(folder), str(wheel)], check=True)
    return folder


def halorow(installed, folder, *args):
    """Run the command of the wheel, in a folder where nothing of the repository is found."""
    env = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, str(installed / "bin" / "halorow"), *args],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    packages = ("pipeline", "mpi_stage", "gpu_kernels", "ui")
    assert sorted(name for name in tracked(*packages) if (ROOT / name).is_file() and name not in held) == []


def test_the_wheel_carries_the_version_and_the_licences_of_all_it_holds(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert wheel.name.startswith(f"halorow-{project['version']}-cp311-abi3-")
    for licence in ("LICENSE", "ui/static/openseadragon-LICENSE.txt"):
        assert any(name.endswith(f"/licenses/{licence}") for name in zipfile.ZipFile(wheel).namelist())


def test_the_installed_command_filters_an_image_on_two_ranks_with_its_own_modules(installed, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", image)
    done = halorow(installed, tmp_path, "run", "in.tif", "out.tif", "invert", "--ranks", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), 255 - image)


def test_the_installed_modules_find_their_compiled_kernels_and_their_data(installed, tmp_path):
    code = (
        "import mpi_stage.native as n, pipeline, gpu_kernels.sources as s, sys;"
        "assert n.kernels is not None; print(pipeline.__file__)"
    )
    env = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed)
