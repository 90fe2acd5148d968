"""docs/exactness.md, from what the matrix has shown."""

from matrix import BLOCKS, COLUMNS, ROWS

HEAD = """# Exactness

Made by `make docs` from the tests in `tests/exactness`; do not edit.

Every operation was run on images of {columns} × {rows} pixels with every combination of type, channel
count and border that it takes, on worlds of {ranks} ranks with blocks of {blocks} rows, through files,
as `halorow run` does. *Differing* counts the bytes that any two of these runs did not have in common: the
promise is 0, for floats too. *Judged* counts the combinations that the reference call takes, *largest*
is the largest difference from it, in values for integers and as a part of the data's range for
`float32`. Where a reference takes a type or border not at all, the operation's own tests judge it by SciPy,
scikit-image or plain NumPy.

| operation | pattern | types | channels | borders | runs | differing | judged | largest | reference |
|---|---|---|---|---|---|---|---|---|---|
"""


def document(lines, operations, ranks) -> str:
    """Return the document's text."""
    by_name = {one.name: one for one in operations}
    blocks = ", ".join("chosen" if rows is None else str(rows) for rows in BLOCKS)
    head = HEAD.format(columns=COLUMNS, rows=ROWS, ranks=", ".join(map(str, ranks)), blocks=blocks)
    body = "\n".join(row(line, by_name[line.name]) for line in lines)
    total = sum(line.runs for line in lines)
    differing = sum(line.differing for line in lines)
    return f"{head}{body}\n\n{total:,} runs in all, {differing} differing bytes.\n"


def row(line, operation) -> str:
    """Return one operation's row."""
    largest = "; ".join(f"{dtype} {value:.2g}" for dtype, value in sorted(line.largest.items())) or "–"
    parts = [
        f"`{line.name}`",
        str(operation.pattern),
        ", ".join(sorted(line.types)),
        ", ".join(map(str, sorted(line.channels))),
        str(len(line.borders)) if line.borders else "–",
        str(line.runs),
        str(line.differing),
        str(line.judged) if line.judged else "–",
        largest,
        operation.reference.replace("|", "\\|"),
    ]
    return "| " + " | ".join(parts) + " |"
