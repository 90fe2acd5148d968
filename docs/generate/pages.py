"""The pages on the operations: one for each family, and one that leads to them."""

from itertools import groupby

from docs.generate.entry import cell, entry, rounded_cost
from docs.generate.facts import SIDE_PX
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.declaring.declaration import Border, Operation
from mpi_stage.operations.declaring.parameters import BORDER_ALIASES, BORDER_NOTE, FILL
from mpi_stage.operations.spelling.presets import MARK, PRESETS

FAMILIES = {
    "colour": ("Colour", "What happens to the values and colours of each pixel by itself."),
    "smoothing": ("Smoothing, sharpening, noise", "What happens to a pixel in sight of its neighbours."),
    "edges": (
        "Edges and corners",
        "Where the picture changes. Values are those of the gray picture, unless said otherwise.",
    ),
    "threshold": (
        "Threshold and histogram",
        (
            "Black and white, and tones that follow from the picture. What is measured is the same for any "
            "number of ranks."
        ),
    ),
    "frequency": (
        "Frequency",
        (
            "Butterworth filters by a Fourier transform of the whole picture, which no rank ever holds: rows "
            "are transformed and exchanged for columns over MPI."
        ),
    ),
    "morphology": ("Morphology", "Shapes: what grows, shrinks, closes and belongs together."),
    "geometry": ("Geometry", "What moves pixels. Metadata that say where the picture lies follow."),
}
"""Title and first sentence of each family's page."""

_MADE = "Made by `make docs` from the declarations in `mpi_stage/operations`; do not edit.\n"

_BORDERS = {
    Border.MIRROR: "`dcb|abcd|cba`",
    Border.REFLECT: "`dcba|abcd|dcba`",
    Border.NEAREST: "`aaa|abcd|ddd`",
    Border.WRAP: "`bcd|abcd|abc`",
    Border.CONSTANT: "`fff|abcd|fff`, `f` being `fill`",
}


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    texts = {"README.md": _index()}
    for family, members in _families():
        texts[f"{family}.md"] = _page(family, members)
    return texts


def _families() -> list[tuple[str, list[Operation]]]:
    return [(family, list(members)) for family, members in groupby(OPERATIONS, lambda one: one.family)]


def _page(family: str, members: list[Operation]) -> str:
    title, about = FAMILIES[family]
    links = " · ".join(f"[{one.name}](#{one.name})" for one in members)
    head = f"# {title}\n\n{_MADE}\n{about}\n[All families, borders and costs](README.md)\n\n{links}"
    return "\n\n".join([head, *(entry(one) for one in members)]) + "\n"


def _index() -> str:
    parts = (_head(), _table(), _spelling(), _borders(), _costs(), _presets())
    return "\n\n".join(parts) + "\n"


def _head() -> str:
    return (
        f"# Operations\n\n{_MADE}\n"
        f"{len(OPERATIONS)} operations. Each gives the same bytes for any number of ranks and any block "
        "height; [exactness](../exactness.md) shows it. An alpha channel goes through unchanged, except that "
        "geometry moves it like the rest, and operations whose result has one channel drop it. "
        "`halorow ops NAME` tells the same on the command line.\n\n"
        "![Every operation on a photograph](contact-sheet.jpg)"
    )


def _table() -> str:
    lines = ["| operation | | family | pattern | ns per pixel |", "|---|---|---|---|---|"]
    for family, members in _families():
        for one in members:
            link = f"[`{one.name}`]({family}.md#{one.name})"
            title = f"[{FAMILIES[family][0]}]({family}.md)"
            lines.append(f"| {link} | {one.label} | {title} | {one.pattern.value} | {rounded_cost(one)} |")
    return "\n".join(lines)


def _spelling() -> str:
    return (
        "## Writing a pipeline\n\n"
        "Steps in their order, in one of three spellings that mean the same: text for the command line and "
        "the page, JSON for requests (its schema is made from the declarations too), and Python with "
        "`from pipeline import ops`.\n\n"
        "```\ngaussian:sigma=2 grayscale canny:low=50,high=150\n```\n\n"
        '```json\n[{"op": "gaussian", "sigma": 2}, {"op": "grayscale"}, {"op": "canny", "low": 50, '
        '"high": 150}]\n```\n\n'
        "```python\n[ops.gaussian(sigma=2), ops.grayscale(), ops.canny(low=50, high=150)]\n```\n\n"
        "What is left out has its default; *derived* means that it follows from the other parameters and "
        "the picture. *In the image's own values* means 0 to 255 for `uint8` and 0 to 65,535 for `uint16`; "
        "floats are taken as they are, 1 being white."
    )


def _borders() -> str:
    aliases = {
        border: [f"`{name}`" for name, meant in BORDER_ALIASES.items() if meant == border.value]
        for border in Border
    }
    rows = [
        f"| `{border.value}` | {cell(_BORDERS[border])} | {', '.join(aliases[border])} |" for border in Border
    ]
    table = "\n".join(["| border | left and right of a row `abcd` | also called |", "|---|---|---|", *rows])
    return (
        "## Borders\n\n"
        "What an operation that looks at neighbours sees outside the picture, `border=`. A halo may be "
        f"larger than the picture.\n\n{table}\n\n"
        f"Mind that {BORDER_NOTE}.\n\n`fill`: {FILL.help}"
    )


def _costs() -> str:
    return (
        "## Costs\n\n"
        "What a plan reckons with: nanoseconds of one core for each pixel of an RGB `uint8` picture of "
        f"{SIDE_PX:,} × {SIDE_PX:,} pixels (gray for `label`), with default parameters, or those of the "
        "example where some must be given. Steps that the plan puts before are included, reading and "
        "writing are not. They are for routing and rough estimates; `halorow plan` says what a pipeline "
        "costs for an image."
    )


def _presets() -> str:
    rows = [f"| `{MARK}{one.name}` | {one.help} | `{one.text}` |" for one in PRESETS]
    table = "\n".join(["| preset | | stands for |", "|---|---|---|", *rows])
    usage = 'Pipelines with a name, to be used wherever a step can; in JSON `{"preset": "edges"}`.'
    return f"## Presets\n\n{usage}\n\n{table}"
