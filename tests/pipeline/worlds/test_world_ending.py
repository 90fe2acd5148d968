"""What is said of a world that has ended."""

import pytest

from pipeline.worlds.ending import how_it_ended, is_exhausted, last_words

HYDRA = """
===================================================================================
=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES
=   PID 12 RUNNING AT 127.0.0.1
===================================================================================
YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)
This typically refers to a problem with your application.
Please see the FAQ page for debugging suggestions
"""


@pytest.mark.parametrize(
    ("code", "ranks", "said", "how"),
    [
        (None, 2, "", "closed its control connection"),
        (3, 1, "", "ended with exit code 3"),
        (-9, 1, "", "was killed by SIGKILL"),
        (9, 2, HYDRA, "was killed by SIGKILL"),
        (9, 1, HYDRA, "ended with exit code 9"),
        (-64 - 31, 1, "", "was killed by signal 95"),
    ],
)
def test_the_end_is_told_by_the_code_and_what_hydra_says_of_it(code, ranks, said, how):
    assert how_it_ended(code, ranks, said) == how


def test_what_hydra_writes_about_any_end_is_not_among_the_last_words():
    assert last_words(HYDRA) == ""
    assert last_words(f"out of cheese{HYDRA}") == "; its last words: out of cheese"


def test_a_limit_of_the_processor_or_of_memory_is_told_from_a_death():
    assert is_exhausted("was killed by SIGXCPU", "")
    assert is_exhausted("ended with exit code 1", "terminate called after throwing std::bad_alloc")
    assert not is_exhausted("was killed by SIGKILL", HYDRA)
