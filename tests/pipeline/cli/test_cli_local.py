"""The local commands as a user calls them: the real program, the real stage, real MPI."""

import errno
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.rows.digest import pixels_sha256
from pipeline.worlds.processes import descendants, wait_gone

IMAGES = Path(__file__).parents[2] / "images"
COFFEE = IMAGES / "coffee.tif"
HALOROW = (sys.executable, "-m", "pipeline.cli.main")
GONE_WITHIN_S = 10.0


def halorow(*arguments, **options):
    command = [*HALOROW, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


@pytest.fixture
def output(tmp_path):
    """Give a place to write to; nothing but it may be in its folder at the end."""
    path = tmp_path / "results" / "out.tif"
    path.parent.mkdir()
    yield path
    assert {entry.name for entry in path.parent.iterdir()} <= {path.name}


@pytest.fixture
def large(tmp_path):
    """Give an image that takes a while: 12,000 × 3,000 pixels, most of them in no block of the disk."""
    path = tmp_path / "large.tif"
    tifffile.memmap(path, shape=(12_000, 3_000, 3), dtype=np.uint8, photometric="rgb").flush()
    return path


SLOW = ("median:size=15", "median:size=15", "median:size=15")


def test_run_writes_the_image_and_tells_of_it(output):
    done = halorow("run", COFFEE, output, "grayscale", "invert", "--ranks", 2)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{output}: 300 × 200 px, 1 × uint8")
    assert tifffile.imread(output).shape == (200, 300)


def test_json_is_one_report_and_nothing_else(output):
    done = halorow("run", COFFEE, output, "gaussian:sigma=2", "--ranks", 2, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [rank["rank"] for rank in report["ranks"]] == [0, 1]
    assert set(report["ranks"][0]["seconds"]) == {
        "read",
        "decode",
        "halo",
        "compute",
        "encode",
        "write",
        "wait",
    }
    assert report["pixels_sha256"] == pixels_sha256(tifffile.imread(output))


def test_any_number_of_ranks_gives_the_same_pixels(tmp_path):
    digests = set()
    for ranks in (1, 2, 5):
        arguments = ("gaussian:sigma=3", "--ranks", ranks, "--block-rows", 7 * ranks, "--json")
        done = halorow("run", COFFEE, tmp_path / f"{ranks}.tif", *arguments)
        digests.add(json.loads(done.stdout)["pixels_sha256"])
    assert len(digests) == 1


def test_the_digest_can_be_left_out(output):
    done = halorow("run", COFFEE, output, "invert", "--no-digest", "--json", "--ranks", 1)
    assert json.loads(done.stdout)["pixels_sha256"] is None


def test_digest_is_that_of_the_pixels_as_the_report_of_a_run_states_it(output):
    done = halorow("run", COFFEE, output, "gaussian", "--json")
    assert halorow("digest", output).stdout.strip() == json.loads(done.stdout)["pixels_sha256"]


def test_quiet_says_nothing(output):
    done = halorow("run", COFFEE, output, "invert", "--quiet", "--ranks", 1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_relative_path_is_taken_from_where_the_user_is(output):
    done = halorow("run", COFFEE, output.name, "invert", "--ranks", 2, cwd=output.parent)
    assert done.returncode == 0
    assert output.exists()


def test_modules_in_the_folder_of_the_user_are_left_alone(output, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}  # as an installed command has it
    done = halorow("run", COFFEE, output, "invert", "--ranks", 2, cwd=here, env=environment)
    assert done.returncode == 0


def test_the_border_is_for_steps_that_state_none(tmp_path):
    digests = []
    for name, words in (
        ("a", ("box:size=9", "--border", "wrap")),
        ("b", ("box:size=9,border=wrap",)),
        ("c", ("box:size=9",)),
    ):
        done = halorow("run", COFFEE, tmp_path / f"{name}.tif", *words, "--ranks", 1, "--json")
        digests.append(json.loads(done.stdout)["pixels_sha256"])
    assert digests[0] == digests[1] != digests[2]


def broken_inputs(folder):
    (folder / "text.tif").write_text("this is no image")
    (folder / "cut.png").write_bytes((IMAGES / "coins.png").read_bytes()[:20_000])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("{images}/coffee.tif", "{out}", "gausian:sigma=2"), 2, "gaussian"),
        (("{images}/coffee.tif", "{out}", "gaussian:sigma=-1"), 2, "sigma"),
        (("{images}/coffee.tif", "{out}", "box", "--border", "sideways"), 2, "sideways"),
        (("{images}/coffee.tif", "{out}"), 2, "STEP"),
        (("{images}/coffee.tif", "{out}", "box", "--memory", "1 giga"), 2, "512MiB"),
        (("{images}/coffee.tif", "{out}", "box", "--ranks", "0"), 2, "ranks"),
        (("{images}/coffee.tif", "{out}", "box", "--device", "abacus"), 2, "abacus"),
        (("{images}/coffee.tif", "{out}", "box", "--device", "gpu"), 2, "gpu"),
        (("{here}/absent.tif", "{out}", "box"), 3, "absent.tif"),
        (("{here}", "{out}", "box"), 3, "folder"),
        (("{here}/text.tif", "{out}", "box"), 3, "text.tif"),
        (("{here}/cut.png", "{out}", "box"), 3, "cut.png"),
        (("{images}/coffee.tif", "{out}", "box", "--memory", "1MB"), 4, "1000000"),
        (("{images}/coffee.tif", "{here}/nowhere/out.tif", "box"), 1, "nowhere"),
        (("{images}/coffee.tif", "{out}.xyz", "box"), 3, ".xyz"),
    ],
)
def test_every_kind_of_failure_has_its_exit_code_and_one_clear_line(output, tmp_path, arguments, code, said):
    if said == "gpu" and Path("/dev/nvidia0").exists():
        pytest.skip("there is a GPU")
    broken_inputs(tmp_path)
    places = {"images": IMAGES, "out": output, "here": tmp_path}
    done = halorow("run", *(word.format(**places) for word in arguments), "--json")
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    told = json.loads(done.stdout)["error"]
    assert told["exit_code"] == code
    assert told["message"] in done.stderr
    assert not output.exists()


def test_an_output_that_exists_is_left_alone(output):
    output.write_text("precious")
    done = halorow("run", COFFEE, output, "invert", "--ranks", 1)
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert output.read_text() == "precious"


def test_an_output_that_exists_is_replaced_when_asked_for(output):
    output.write_text("worthless")
    assert halorow("run", COFFEE, output, "invert", "--ranks", 1, "--overwrite").returncode == 0
    assert tifffile.imread(output).shape == (200, 300, 3)


def test_an_output_survives_a_run_that_fails_to_replace_it(output, tmp_path):
    broken_inputs(tmp_path)
    output.write_text("precious")
    assert halorow("run", tmp_path / "cut.png", output, "invert", "--overwrite").returncode == 3
    assert output.read_text() == "precious"


def test_an_image_can_replace_itself(output):
    output.write_bytes(COFFEE.read_bytes())
    before = tifffile.imread(output)
    assert halorow("run", output, output, "invert", "--overwrite", "--ranks", 2).returncode == 0
    assert np.array_equal(tifffile.imread(output), 255 - before)


def test_a_full_disk_is_told_of(tmp_path):
    """A limit on the size of files stands in for a full disk, which only root can make."""
    command = ["bash", "-c", 'ulimit -f 16; exec "$@"', "bash", *HALOROW]
    done = subprocess.run(
        [*command, "run", str(COFFEE), str(tmp_path / "out.tif"), "invert", "--ranks", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert os.strerror(errno.EFBIG) in done.stderr or "full" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_run_and_leaves_nothing(output, large, number, code):
    command = [*HALOROW, "run", str(large), str(output), *SLOW, "--ranks", "2"]
    main, terminal = pty.openpty()  # the progress bar says when the ranks are at work
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while b"rows" not in shown:
            shown += os.read(main, 10_000)
        pids = descendants(process.pid)
        process.send_signal(number)
        assert process.wait(GONE_WITHIN_S) == code
    os.close(main)
    assert len(pids) >= 4
    assert not wait_gone(pids, 0)
    assert not output.exists()


def test_a_killed_command_leaves_no_process_and_no_output_under_its_name(tmp_path, large):
    output = tmp_path / "out.tif"
    command = [*HALOROW, "run", str(large), str(output), *SLOW, "--ranks", "2"]
    main, terminal = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        while b"rows" not in os.read(main, 10_000):
            pass
        pids = descendants(process.pid)
        process.kill()
    os.close(main)
    assert not wait_gone(pids, GONE_WITHIN_S)
    assert not output.exists()


def test_a_closed_pipe_is_no_error_worth_a_traceback():
    with subprocess.Popen(
        [*HALOROW, "ops", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_plan_tells_of_passes_memory_and_cost():
    done = halorow("plan", COFFEE, "gaussian:sigma=2", "otsu", "--ranks", 3)
    assert done.returncode == 0
    for word in ("gaussian", "otsu", "3, blocks of", "halo", "core seconds", "at most per rank"):
        assert word in done.stdout


def test_plan_in_json_is_the_plan_of_the_run(output):
    plan = json.loads(halorow("plan", COFFEE, "sobel", "--ranks", 2, "--json").stdout)
    report = json.loads(halorow("run", COFFEE, output, "sobel", "--ranks", 2, "--json").stdout)
    assert plan["hash"] == report["plan_hash"]
    assert plan["peak_bytes_per_rank"] >= max(rank["peak_anon_bytes"] for rank in report["ranks"])


def test_ops_lists_every_operation_by_family():
    listed = halorow("ops").stdout
    for operation in OPERATIONS:
        assert f"  {operation.name}" in listed
        assert f"\n{operation.family}\n" in f"\n{listed}"


def test_ops_in_json_has_every_parameter():
    operations = json.loads(halorow("ops", "--json").stdout)["operations"]
    assert [operation["name"] for operation in operations] == [operation.name for operation in OPERATIONS]
    gaussian = next(operation for operation in operations if operation["name"] == "gaussian")
    sigma = gaussian["parameters"][0]
    assert (sigma["name"], sigma["minimum"], sigma["unit"]) == ("sigma", 0.1, "px")
    assert gaussian["parameters"][-2]["name"] == "border"


def test_ops_of_one_operation_tells_all_about_it():
    told = halorow("ops", "median").stdout
    for word in ("stencil", "size", "border", "judged by", "uint8, uint16, float32"):
        assert word in told


def test_an_unknown_operation_is_answered_with_the_closest():
    done = halorow("ops", "medain")
    assert done.returncode == 2
    assert "median" in done.stderr


def test_the_version_is_shown():
    done = halorow("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "halorow")


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("plan", "-h"), ("ops", "--help")])
def test_help_is_there(words):
    done = halorow(*words)
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize("words", [("flatter",), ("run", "--sideways"), ("run",)])
def test_wrong_usage_ends_with_2(words):
    done = halorow(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")


def loaded_by(*words):
    """Return the modules that a command has loaded, by their full names."""
    done = halorow(*words, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}


def packages(modules):
    return {name.partition(".")[0] for name in modules}


SERVICE = {"ray", "redis", "streamlit", "structlog", "google", "starlette", "uvicorn"}
PIXELS = {"numpy", "cv2", "scipy", "imagecodecs", "tifffile", "PIL", "mpi4py"}
COMMAND_LINE = {"typer", "click", "rich", "pydantic", "shellingham"}
SLOW_TO_LOAD = {
    "argparse",
    "asyncio",
    "concurrent",
    "dataclasses",
    "hashlib",
    "inspect",
    "logging",
    "secrets",
}


def test_a_run_starts_its_ranks_before_it_loads_anything_slow(output):
    """What is loaded after the contract is loaded while the ranks start."""
    done = halorow("run", COFFEE, output, "invert", env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})
    before = {
        line.rpartition("|")[2].strip()
        for line in done.stderr.partition("mpi_stage.contract")[0].splitlines()
    }
    inside = {"dataclasses", "inspect"}  # of the contract, which is listed after what it needs
    assert "pipeline.worlds.world" in before
    assert packages(before).isdisjoint(SERVICE | PIXELS | COMMAND_LINE | (SLOW_TO_LOAD - inside))


def test_a_run_loads_nothing_that_reads_pixels_command_lines_or_serves(output):
    assert packages(loaded_by("run", COFFEE, output, "invert")).isdisjoint(SERVICE | PIXELS | COMMAND_LINE)


def test_a_plan_loads_nothing_of_the_service_and_no_pixels():
    assert packages(loaded_by("plan", COFFEE, "invert")).isdisjoint(
        SERVICE | PIXELS - {"numpy", "cv2"} | {"rich"}
    )


def test_the_list_of_operations_loads_nothing_of_the_service():
    assert packages(loaded_by("ops")).isdisjoint(SERVICE | PIXELS - {"numpy", "cv2"} | {"rich"})


def test_an_idle_rank_has_loaded_no_more_than_an_image_needs():
    program = (
        "import sys, mpi_stage.__main__ as rank; rank._load();"
        " import mpi_stage.rank.session; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"numpy", "cv2", "mpi4py.MPI", "mpi_stage.rank.session"} <= loaded
    needless = SERVICE | COMMAND_LINE | {"scipy", "tifffile", "PIL", "argparse", "pipeline", "ui"}
    assert packages(loaded).isdisjoint(needless)
