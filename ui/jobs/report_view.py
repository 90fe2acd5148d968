"""What a job's report says, as rows of tables and sentences; worked out from the result alone."""

import html
from collections.abc import Iterable
from typing import Any

from pipeline.models import Result
from ui import words

_PHASES = ("read", "decode", "halo", "compute", "encode", "write", "wait")


def figures(result: Result) -> list[tuple[str, str]]:
    """Return what came out, as pairs of a name and a value."""
    report = result.report
    pairs = []
    if "columns" in report:
        channels = words.count(int(report["channels"]), "channel")
        size = f"{report['columns']:,} × {report['rows']:,} px, {channels} of {report['dtype']}"
        pairs.append(("Image", size))
    pairs.append(("File", f"{result.output_name}, {words.size(result.output.size_bytes)}"))
    pairs.append(("Attempt", str(result.attempt)))
    if "seconds" in report:
        pairs.append(("Time", f"{report['seconds']:.2f} s"))
    ranks = _ranks(report)
    if ranks:
        device = report.get("device", "cpu")
        pairs.append(("Ranks", f"{words.count(len(ranks), 'rank')} on {_hosts(ranks)}, {device}"))
        halo = sum(int(rank.get("sent_bytes", 0)) for rank in ranks)
        pairs.append(("Halo rows and other messages", f"{words.size(halo)} over MPI"))
    if report.get("band_rows"):
        pairs.append(("Bands", _bands(report, ranks)))
    if result.pixels_sha256:
        pairs.append(("Digest of the pixels", f"sha256 {result.pixels_sha256}"))
    if report.get("plan_hash"):
        pairs.append(("Plan", str(report["plan_hash"])))
    return pairs


def metadata(result: Result) -> list[tuple[str, str]]:
    """Return what became of the input's metadata, and what else people should know."""
    report = result.report
    pairs = []
    if report.get("metadata_kept"):
        pairs.append(("Metadata kept", ", ".join(map(str, report["metadata_kept"]))))
    for name, title in (("metadata_adjusted", "Metadata changed"), ("metadata_dropped", "Metadata left out")):
        pairs += [(title, f"{what}: {why}") for what, why in (report.get(name) or {}).items()]
    pairs += [("Measured", f"{what}: {found}") for what, found in (report.get("measured") or {}).items()]
    pairs += [("Note", str(note)) for note in report.get("notes") or []]
    return pairs


def rank_rows(result: Result) -> list[dict[str, Any]]:
    """Return a row for each rank: where, how many rows, seconds of each phase, bytes, memory."""
    return [
        {
            "rank": rank["rank"],
            "host": rank["host"],
            "rows": rank["rows"],
            **{f"{name} s": round(float(rank["seconds"].get(name, 0)), 3) for name in _PHASES},
            "sent": words.size(int(rank["sent_bytes"])),
            "received": words.size(int(rank["received_bytes"])),
            "read": words.size(int(rank["read_bytes"]) + int(rank.get("fetched_bytes", 0))),
            "written": words.size(int(rank["written_bytes"]) + int(rank.get("uploaded_bytes", 0))),
            "peak memory": words.size(int(rank["peak_anon_bytes"])),
        }
        for rank in _ranks(result.report)
    ]


def table_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs of a name and a value as HTML, in two columns that fit on narrow screens too."""
    rows = "".join(
        f'<dt style="opacity:.7;font-weight:400;margin:0">{html.escape(name)}</dt>'
        f'<dd style="margin:0;overflow-wrap:anywhere;min-width:0">{html.escape(value)}</dd>'
        for name, value in pairs
    )
    return (
        f'<dl style="display:grid;grid-template-columns:minmax(6rem,14rem) 1fr;gap:.35rem 1rem">{rows}</dl>'
    )


def _ranks(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [rank for rank in report.get("ranks", []) if "rank" in rank]


def _hosts(ranks: Iterable[dict[str, Any]]) -> str:
    hosts = sorted({str(rank["host"]) for rank in ranks})
    return hosts[0] if len(hosts) == 1 else words.count(len(hosts), "node")


def _bands(report: dict[str, Any], ranks: Iterable[dict[str, Any]]) -> str:
    made, reused, refused = (
        sum(int(rank.get(f"bands_{what}", 0)) for rank in ranks) for what in ("made", "reused", "refused")
    )
    told = [f"{made} made", f"{reused} taken over"] + ([f"{refused} not as recorded"] if refused else [])
    return f"{', '.join(told)}; of {words.count(int(report['band_rows']), 'row')} each"
