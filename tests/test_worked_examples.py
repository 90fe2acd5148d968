"""The worked examples of ``docs/extend.md`` work, and touch no more than they say."""

import json
import re
import shutil

import pytest
from worked_examples import ROOT, carry_out, copy_of_repository, python, section

PICKED_UP = """
import json
from docs.generate.examples import example_of
from docs.generate.pages import pages
from mpi_stage.operations.index import find
from mpi_stage.operations.spelling.schema import pipeline_schema
from pipeline import ops
from ui.drafts.forms import fields_of

operation = find("within")
print(json.dumps({
    "form": [field.name for field in fields_of(operation)],
    "schema": "within" in json.dumps(pipeline_schema()),
    "page": "## within" in pages()["threshold.md"],
    "python": ops.within(low=0.1).operation.name,
    "example": example_of(operation).photograph,
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Give a copy of the repository, which every example adds to."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    if shutil.which("git") is None:
        pytest.skip("git is not installed, so changes cannot be applied")
    folder = tmp_path_factory.mktemp("copy")
    copy_of_repository(folder)
    return folder


@pytest.fixture(scope="module")
def operation(copy):
    """Give the files that the example of an operation touches."""
    return carry_out(section("An operation"), copy)


def test_an_operation_is_its_declaration_a_line_of_the_index_and_tests(operation):
    assert [path for path in operation if not path.startswith("tests/")] == [
        "mpi_stage/operations/within.py",
        "mpi_stage/operations/index.py",
    ]


def test_the_command_the_form_the_schema_and_the_documents_pick_an_operation_up(operation, copy):
    assert operation
    assert "The least value that is chosen" in python(copy, "-m", "pipeline.cli.main", "ops", "within")
    assert json.loads(python(copy, "-c", PICKED_UP)) == {
        "form": ["low", "high"],
        "schema": True,
        "page": True,
        "python": "within",
        "example": "astronaut",
    }


def test_the_tests_of_an_operation_pass_on_every_number_of_ranks(operation, copy):
    tests = [path for path in operation if path.startswith("tests/mpi_stage")]
    matrix = "tests/exactness/test_matrix.py"
    said = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, matrix, "-k", "within")
    assert "3 passed" in said


def test_a_format_of_one_picture_is_a_module_and_an_entry(copy):
    touched = carry_out(section("A format"), copy)
    assert touched == [
        "mpi_stage/formats/raster/qoi.py",
        "mpi_stage/formats/raster/kinds.py",
        "tests/mpi_stage/formats/test_qoi.py",
    ]
    assert "3 passed" in python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", touched[2])
    image, output = ROOT / "tests" / "images" / "chelsea.png", copy / "cat.qoi"
    python(
        copy,
        "-m",
        "pipeline.cli.main",
        "run",
        str(image),
        str(output),
        "channels:select=0,1,2",
        "--ranks",
        "2",
    )
    assert output.read_bytes().startswith(b"qoif")


def test_a_store_is_a_class_and_a_scheme_and_keeps_the_contract_of_all_stores(copy):
    contract = "tests/contracts/test_store_contract.py"
    touched = carry_out(section("A store"), copy)
    assert touched == ["pipeline/stores/sqlite.py", "pipeline/stores/registry.py", contract]
    said = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", contract, "-k", "sqlite")
    assert re.search(r"\b[4-9]\d passed", said)
    opened = f"print(open_store('sqlite://{copy}/a.db', link_secret=b'', link_base_url=''))"
    said = python(copy, "-c", f"from pipeline.stores.registry import open_store\n{opened}")
    assert said == f"SqliteStore('{copy}/a.db')\n"


def test_a_chat_is_a_line_and_its_address_is_held_to_the_rules_of_all(copy):
    touched = carry_out(section("A notification channel"), copy)
    assert touched == ["pipeline/channels/addresses.py", "tests/pipeline/notify/test_notify_zulip.py"]
    choices = "tests/pipeline/notify/test_notify_choices.py"
    assert " passed" in python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", touched[1], choices)
