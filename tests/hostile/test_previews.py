"""Files made to harm, shown by the page: a small picture or a sentence, never the page's own process."""

import resource

import pytest
from traps import TRAPS

from ui.preview import NoPreviewError, preview

FILES = [trap for trap in TRAPS if not trap.name.endswith(".zarr")]
SHOWN = FILES[:: len(FILES) // 4]  # each starts a process
PAGE_BYTES = 64 << 20


def shown(path):
    try:
        return preview(path)
    except NoPreviewError as error:
        return str(error)


def own_peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("trap", SHOWN, ids=lambda trap: trap.name)
def test_hostile_file_becomes_a_picture_or_a_sentence(tmp_path, trap):
    trap.write(tmp_path / trap.name)
    before = own_peak_bytes()
    assert shown(tmp_path / trap.name)[:4] in {b"\x89PNG", "This"}
    assert own_peak_bytes() < before + PAGE_BYTES
