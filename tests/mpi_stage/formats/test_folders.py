"""Folders are made even while others tidy up."""

import threading

from mpi_stage.process.files import make_folder

TIMES = 30
TIDIED_TIMES = 50  # by one who does nothing else, which is more than any store does


def test_a_folder_is_made_while_somebody_removes_the_empty_ones_above(tmp_path):
    above = tmp_path / "bands"
    removed = 0

    def tidy():
        nonlocal removed
        before = removed
        while not over.is_set() and removed - before < TIDIED_TIMES:
            try:
                above.rmdir()
            except OSError:
                continue
            removed += 1

    for number in range(TIMES):
        over = threading.Event()
        thread = threading.Thread(target=tidy)
        thread.start()
        try:
            made = above / str(number) / "0001"
            make_folder(str(made))
            assert made.is_dir()
        finally:
            over.set()
            thread.join()
        made.rmdir()
        made.parent.rmdir()

    assert removed
