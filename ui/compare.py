"""Before and after: small pictures of a job's input and result, side by side, and its figures."""

import streamlit as st

from pipeline.errors import HalorowError
from pipeline.models import ObjectRef, Result
from ui import service, words
from ui.preview import NoPreviewError, preview


def compare(job_id: str) -> None:
    """Draw input and result of a finished job, and the result's figures."""
    try:
        manifest = service.client().manifest(job_id)
        result = service.client().result(job_id)
    except HalorowError as error:
        st.caption(words.plain(error.public_message))
        return
    before, after = st.columns(2)
    with before:
        _picture("Before", manifest.input_name, manifest.input)
    with after:
        _picture("After", result.output_name, result.output)
    st.caption(words.plain(figures(result)))


def _picture(label: str, name: str, ref: ObjectRef) -> None:
    """Draw one picture with its name and size, or the reason why there is none."""
    png, reason = small_picture(ref.key, ref.generation)
    if png is None:
        st.info(words.plain(reason), icon=":material/hide_image:")
    else:
        st.image(png, width="stretch", alt=f"{label}: {name}")
    st.caption(f"{label} · {words.plain(name)} · {words.size(ref.size_bytes)}")


@st.cache_data(max_entries=200, show_spinner=False)
def small_picture(key: str, generation: str) -> tuple[bytes | None, str]:  # noqa: ARG001  (tells versions apart)
    """Return a PNG of an object, or None and the reason for it."""
    path = service.find_file(key)
    if path is None:
        return None, "There is no preview of files that are kept elsewhere. Download it to look at it."
    try:
        return preview(path), ""
    except NoPreviewError as error:
        return None, str(error)


def figures(result: Result) -> str:
    """Say what came out: size, type, ranks, time, and the digest of the pixels."""
    report = result.report
    parts = []
    if "columns" in report:
        channels = words.count(int(report["channels"]), "channel")
        parts.append(f"{report['columns']:,} × {report['rows']:,} px, {channels} of {report['dtype']}")
    if "ranks" in report:
        parts.append(words.count(len(report["ranks"]), "rank"))
    if "seconds" in report:
        parts.append(f"{report['seconds']:.2f} s")
    if result.pixels_sha256:
        parts.append(f"pixels sha256 {result.pixels_sha256}")
    return " · ".join(parts)
