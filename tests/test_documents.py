"""The pages on the operations, and others that are made, are what the declarations give."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from docs.generate import recipes, settings, spellings
from docs.generate.__main__ import SCHEMA, schema_text
from docs.generate.examples import EXAMPLES, example_of, short_steps
from docs.generate.pages import FAMILIES, pages
from docs.generate.photographs import PHOTOGRAPHS
from docs.generate.recipes import RECIPES
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.spelling.grammar import parse
from pipeline import ops

FOLDER = Path(__file__).parent.parent / "docs" / "operations"
REMEDY = "run `python -m docs.generate --text`, or `make docs` if examples have changed"
MAX_PICTURE_BYTES = 12 * 1024


def test_the_committed_pages_are_what_the_declarations_give():
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    made = pages()
    assert sorted(committed) == sorted(made), REMEDY
    stale = [name for name, text in made.items() if committed[name] != text]
    assert not stale, f"{', '.join(stale)}: {REMEDY}"


def test_the_published_schema_is_that_of_the_declarations():
    assert (FOLDER / SCHEMA).read_text() == schema_text(), REMEDY


def test_every_operation_has_an_entry_on_its_family_s_page():
    for operation in OPERATIONS:
        page = (FOLDER / f"{operation.family}.md").read_text()
        assert f"\n## {operation.name}\n" in page, REMEDY
        assert f"(images/{operation.name}.jpg)" in page, REMEDY


def test_every_family_has_a_title():
    assert list(FAMILIES) == list(dict.fromkeys(operation.family for operation in OPERATIONS))


def test_examples_are_those_of_operations_and_begin_with_photographs_there_are():
    names = [operation.name for operation in OPERATIONS]
    assert list(EXAMPLES) == [name for name in names if name in EXAMPLES]
    assert {example_of(operation).photograph for operation in OPERATIONS} <= set(PHOTOGRAPHS)


def test_every_operation_and_no_other_has_a_small_picture():
    pictures = {path.stem: path for path in (FOLDER / "images").glob("*.jpg")}
    assert sorted(pictures) == sorted(operation.name for operation in OPERATIONS), "run `make docs`"
    large = [name for name, path in pictures.items() if path.stat().st_size > MAX_PICTURE_BYTES]
    assert large == []


def test_the_contact_sheet_can_be_read():
    with Image.open(FOLDER / "contact-sheet.jpg") as sheet:
        sheet.load()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_the_three_spellings_of_an_example_mean_the_same(operation):
    steps = short_steps(operation)
    spelled = parse(spellings.text(steps))
    assert parse(spellings.as_json(steps)) == spelled
    assert parse(eval(spellings.python(steps), {"ops": ops, "__builtins__": {}})) == spelled  # noqa: S307  (our own text)


def test_the_page_of_recipes_is_what_the_recipes_give():
    assert (FOLDER.parent / "recipes.md").read_text() == recipes.page(), REMEDY
    pictures = sorted(path.stem for path in (FOLDER.parent / "recipes").glob("*.jpg"))
    assert pictures == sorted(recipe.name for recipe in RECIPES), "run `make docs`"


def test_the_page_of_settings_is_what_their_declaration_gives():
    assert (FOLDER.parent / "settings.md").read_text() == settings.page(), REMEDY


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.name)
def test_a_recipe_s_command_works_as_it_stands(recipe, tmp_path):
    pixels = PHOTOGRAPHS[recipe.photograph]()
    Image.fromarray(pixels.squeeze()).save(tmp_path / recipe.source)
    command = [sys.executable, "-m", "pipeline.cli.main", *shlex.split(recipe.command)[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / recipe.target).exists()
