"""Folders are made even while others tidy up."""

import threading

from mpi_stage.formats.files import make_folder

TIMES = 300


def test_a_folder_is_made_while_somebody_removes_the_empty_ones_above(tmp_path):
    above, over = tmp_path / "bands", threading.Event()

    def tidy():
        while not over.is_set():
            try:
                above.rmdir()
            except OSError:
                continue

    thread = threading.Thread(target=tidy)
    thread.start()
    try:
        for number in range(TIMES):
            made = above / str(number) / "0001"
            make_folder(str(made))
            assert made.is_dir()
            made.rmdir()
            made.parent.rmdir()
    finally:
        over.set()
        thread.join()
