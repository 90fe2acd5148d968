"""Write the pages that are made: ``python -m docs.generate``, with ``--text`` no pictures."""

import argparse
import json
from pathlib import Path

from docs.generate import recipes, settings
from docs.generate.pages import pages
from mpi_stage.operations.spelling.schema import pipeline_schema

FOLDER = Path(__file__).parents[1] / "operations"

SCHEMA = "pipeline.schema.json"
RECIPES_PAGE = "recipes.md"
SETTINGS_PAGE = "settings.md"
SHEET_BYTES = 600 * 1024


def write_text(folder: Path) -> None:
    """Write the pages, and remove those of families that are no more."""
    texts = pages()
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / SCHEMA).write_text(schema_text(), encoding="utf-8")
    (folder.parent / RECIPES_PAGE).write_text(recipes.page(), encoding="utf-8")
    (folder.parent / SETTINGS_PAGE).write_text(settings.page(), encoding="utf-8")


def schema_text() -> str:
    """Return the published JSON Schema of a pipeline."""
    return json.dumps(pipeline_schema(), ensure_ascii=False, indent=1) + "\n"


def write_pictures(folder: Path) -> None:
    """Carry out the examples; write a picture of each, and all of them on one sheet."""
    from docs.generate.contact_sheet import contact_sheet  # noqa: PLC0415  (the text needs no OpenCV)
    from docs.generate.pictures import drawn, filtered, jpeg, side_by_side  # noqa: PLC0415

    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    kept, tiles = set(), []
    for operation, before, after in filtered():
        path = images / f"{operation.name}.jpg"
        path.write_bytes(jpeg(side_by_side(before, after)))
        kept.add(path)
        tiles.append((operation.name, drawn(after)))
    for path in set(images.glob("*.jpg")) - kept:
        path.unlink()
    (folder / "contact-sheet.jpg").write_bytes(jpeg(contact_sheet(tiles), SHEET_BYTES))


def write_recipes(folder: Path) -> None:
    """Carry out the recipes and write a picture of each."""
    from docs.generate.pictures import cooked, jpeg, side_by_side  # noqa: PLC0415  (as above)

    folder.mkdir(exist_ok=True)
    kept = set()
    for recipe, before, after in cooked():
        path = folder / f"{recipe.name}.jpg"
        path.write_bytes(jpeg(side_by_side(before, after)))
        kept.add(path)
    for path in set(folder.glob("*.jpg")) - kept:
        path.unlink()


def main() -> None:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--text", action="store_true", help="write the pages only, not the pictures")
    if not parser.parse_args().text:
        write_pictures(FOLDER)
        write_recipes(FOLDER.parent / "recipes")
    write_text(FOLDER)


if __name__ == "__main__":
    main()
