"""Reading the words of a plain ``halorow run``, judged by what typer makes of them."""

import inspect
import typing
from pathlib import Path

import pytest
import typer.main

from pipeline.cli import local as local_cli
from pipeline.cli.plain_run import DEVICES, FLAGS, VALUES, Run, read_run


@pytest.fixture
def understood(monkeypatch):
    """Give a function that returns what typer has a run asked to do, without doing it."""
    asked = []

    def note(run):
        asked.append(run)

    monkeypatch.setattr(Run, "carry_out", note)
    app = typer.Typer()
    local_cli.register(app)
    command = typer.main.get_command(app)

    def read(words):
        command(["run", *words], standalone_mode=False)
        return asked.pop()

    return read


@pytest.mark.parametrize(
    "words",
    [
        "a.tif b.tif invert",
        "a.tif b.tif gaussian:sigma=2 sobel --ranks 3",
        "--ranks 3 a.tif --overwrite b.tif @edges -q --json",
        "a b invert --memory 1.5GiB --device cpu --border wrap --block-rows 64",
        "a b invert --compression zstd --quality 100 --no-digest --digest --no-digest --quiet",
        "a b invert --ranks 2 --ranks 4",
        "a b invert --page 3 --level 1 --plane z=3,c=1 --tile 512 --format cog",
    ],
)
def test_plain_words_mean_what_they_mean_to_typer(understood, words):
    read = read_run(words.split())
    other = understood(words.split())
    assert read is not None
    defaults = {"device": "auto", "digest": True, "page": 0, "level": 0}
    assert {**defaults, **read.options} == other.options
    assert read._replace(options={}) == other._replace(options={})


@pytest.mark.parametrize(
    "words",
    [
        "",
        "a b",
        "--help",
        "a b invert -h",
        "a b invert --sideways",
        "a b invert --ranks",
        "a b invert --ranks 0",
        "a b invert --ranks -1",
        "a b invert --ranks=2",
        "a b invert --ranks two",
        "a b invert --tile 8",
        "a b invert --page 0",
        "a b invert --quality 101",
        "a b invert --device abacus",
        "a b invert --memory much",
        "a b invert --border -q",
        "a b -- invert",
    ],
)
def test_what_is_not_plain_is_left_to_typer(words):
    assert read_run(words.split()) is None


def test_every_option_of_run_is_read():
    hints = typing.get_type_hints(local_cli.run, include_extras=True)
    wanted = {name for name in inspect.signature(local_cli.run).parameters if name in hints}
    wanted -= {"source", "output", "steps"}
    names = {name.replace("memory_bytes", "memory") for name, _ in [*FLAGS.values(), *VALUES.values()]}
    assert names == wanted
    assert list(DEVICES) == [device.value for device in local_cli.Device]


def test_a_run_is_read_in_the_order_of_its_words():
    assert read_run(["a b.tif", "c.png", "invert", "sobel"]) == Run(
        Path("a b.tif"), Path("c.png"), ["invert", "sobel"], {}
    )
