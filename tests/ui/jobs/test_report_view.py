"""What a report says in rows and sentences."""

from pipeline.models import ObjectRef, Result
from ui.jobs.report_view import figures, metadata, rank_rows, table_of

RANK = {
    "host": "n1",
    "rows": 50,
    "seconds": {"read": 0.5, "compute": 1.25},
    "sent_bytes": 1_500_000,
    "received_bytes": 0,
    "peak_anon_bytes": 1000,
    "read_bytes": 10,
    "fetched_bytes": 20,
    "written_bytes": 0,
    "bands_made": 3,
    "bands_reused": 1,
    "bands_refused": 0,
}
REPORT = {
    "rows": 100,
    "columns": 2000,
    "channels": 3,
    "dtype": "uint8",
    "seconds": 1.5,
    "ranks": [{**RANK, "rank": 0}, {**RANK, "rank": 1, "host": "n2"}],
    "device": "cpu",
    "band_rows": 25,
    "plan_hash": "beef",
    "metadata_kept": ["icc", "resolution"],
    "metadata_adjusted": {"orientation": "turned upright"},
    "metadata_dropped": {"exif": "PNG has no place for it"},
    "notes": ["nodata was ignored"],
}


def result(**report):
    return Result(
        job_id="j",
        attempt=2,
        output=ObjectRef(key="k", size_bytes=2_000_000, generation="1"),
        output_name="a.tif",
        pixels_sha256="d1ce",
        report=report,
    )


def test_the_figures_name_size_time_ranks_messages_bands_and_digest():
    told = dict(figures(result(**REPORT)))
    assert told["Image"] == "2,000 × 100 px, 3 channels of uint8"
    assert told["Ranks"] == "2 ranks on 2 nodes, cpu"
    assert told["Halo rows and other messages"] == "3.0 MB over MPI"
    assert told["Bands"] == "6 made, 2 taken over; of 25 rows each"
    assert told["Digest of the pixels"] == "sha256 d1ce"
    assert told["Attempt"] == "2"


def test_an_old_report_that_says_little_is_shown_as_far_as_it_goes():
    assert [name for name, _ in figures(result())] == ["File", "Attempt", "Digest of the pixels"]
    assert (metadata(result()), rank_rows(result())) == ([], [])


def test_what_became_of_the_metadata_is_told_with_the_reasons():
    assert metadata(result(**REPORT)) == [
        ("Metadata kept", "icc, resolution"),
        ("Metadata changed", "orientation: turned upright"),
        ("Metadata left out", "exif: PNG has no place for it"),
        ("Note", "nodata was ignored"),
    ]


def test_each_rank_has_a_row_with_the_seconds_of_its_phases():
    rows = rank_rows(result(**REPORT))
    assert [row["rank"] for row in rows] == [0, 1]
    assert (rows[0]["compute s"], rows[0]["wait s"], rows[0]["read"]) == (1.25, 0, "30 B")


def test_no_name_of_a_file_formats_the_page():
    assert "<b>" not in table_of([("File", "<b>a.tif</b>")])
