"""What the service is to be trusted by: each part of the harness, its figures, and what they must be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Number = int | float


def total(values: Sequence[Number]) -> Number:
    """Add up the slices of a part."""
    return sum(values)


def largest(values: Sequence[Number]) -> Number:
    """Return the worst of the slices of a part."""
    return max(values)


@dataclass(frozen=True)
class Figure:
    """A number that every run of a part reports, and the bounds that make it a pass.

    Attributes
    ----------
    name: the key in the result files.
    label: in words, with the unit.
    joined: how slices become one number.
    at_least, at_most: the bounds; None where the figure is only told.

    """

    name: str
    label: str
    joined: Callable[[Sequence[Number]], Number] = total
    at_least: Number | None = None
    at_most: Number | None = None

    def holds(self, value: Number) -> bool:
        """Whether a value is within the bounds."""
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.at_most is None or value <= self.at_most)

    def holds_in_slice(self, value: Number) -> bool:
        """Whether a slice by itself breaks no bound; what it lacks to a lower one other slices bring."""
        return self.at_most is None or value <= self.at_most

    @property
    def bound(self) -> str:
        """The bounds in words."""
        low, high = self.at_least, self.at_most
        if low is not None and low == high:
            return f"{low:,}"
        bounds = [f"≥ {low:,}" if low is not None else "", f"≤ {high:,}" if high is not None else ""]
        return ", ".join(one for one in bounds if one) or "–"


@dataclass(frozen=True)
class Part:
    """One part of the harness.

    Attributes
    ----------
    name: what its result files begin with.
    title: of its section.
    how: sentences on what is done to the service.
    command: what runs it.
    figures: what it reports.
    plots: pictures in ``docs/reliability`` that it draws.

    """

    name: str
    title: str
    how: str
    command: str
    figures: tuple[Figure, ...]
    plots: tuple[str, ...] = ()


_ALL_FINE = (
    Figure("lost", "jobs lost", at_most=0, at_least=0),
    Figure("two_results", "jobs with two visible results", at_most=0, at_least=0),
    Figure("different", "outputs that differ from those of a quiet run", at_most=0, at_least=0),
)

_LEFT = Figure("left_behind", "processes and half-written files left behind", at_least=0, at_most=0)
_GONE_S = 10.0

PARTS = (
    Part(
        "chaos",
        "A thousand jobs under two hundred faults",
        "A steady stream of small jobs, large ones and worlds of two ranks, and faults drawn at random from"
        " a seed: processes of every part killed with -9 or stopped and continued, Redis emptied or set back,"
        " the service's connections to it reset, cut, stalled and robbed of answers by a relay, the disk full"
        " or read-only. Faults are spread over the jobs, so that each strikes a service that has come on"
        " again. Each output is compared, file and pixels, with that of a quiet world of one rank. Large jobs"
        " keep bands: what an attempt's journals had on record when a fault ended it is held against what the"
        " last attempt took over; the band that a rank was at counts as made again, whether it had begun it"
        " or not. A job may kill 50 workers here instead of 3, since the harness kills and not the job.",
        "make chaos",
        (
            Figure("jobs", "jobs", at_least=1000),
            Figure("faults", "faults", at_least=200),
            *_ALL_FINE,
            _LEFT,
            Figure("attempts_again", "attempts beyond each job's first"),
            Figure("slowest_recovery_s", "longest wait for finished jobs after a fault, s", largest),
            Figure("band_attempts", "attempts ended by a fault with finished bands on record", at_least=10),
            Figure("bands_kept", "finished bands that were seen on record of those attempts"),
            Figure("bands_reused", "finished bands that the last attempts took over"),
            Figure("bands_again", "finished bands that were made again", at_least=0, at_most=0),
            Figure(
                "most_bands_per_kill", "most bands that a rank made again for one kill", largest, at_most=1
            ),
        ),
    ),
    Part(
        "chaos-bucket",
        "The same in a bucket that fails",
        "As above with the store in a bucket on a fake Google Cloud Storage, whose faults are drawn too:"
        " errors 503 and 429, connections reset, answers lost, stalled and cut short, records and uploads"
        " altered. Of ranges of a picture a store states no checksum: TLS keeps those from being altered.",
        "make chaos",
        (
            Figure("jobs", "jobs", at_least=200),
            Figure("faults", "faults", at_least=50),
            *_ALL_FINE,
            _LEFT,
            Figure("attempts_again", "attempts beyond each job's first"),
        ),
    ),
    Part(
        "forgetting",
        "Redis forgets, in the middle of a thousand jobs",
        "The same stream, while Redis is emptied (`FLUSHALL`), set back by its last second, killed and"
        " stopped, and connections to it are reset, cut, stalled and robbed of answers.",
        "make chaos",
        (
            Figure("jobs", "jobs", at_least=1000),
            Figure("faults", "faults of Redis", at_least=4),
            *_ALL_FINE,
            _LEFT,
            Figure("attempts_again", "attempts beyond each job's first"),
        ),
    ),
    Part(
        "stale",
        "Stale holders",
        "A worker is stopped (SIGSTOP) at four points of its work until its lease has run out and a rival has"
        " finished the job, then continued. Its attempt must come to nothing: the rival's result stands, and"
        " no output of the stale attempt is left.",
        "make chaos",
        (
            Figure("stopped", "holders stopped and continued", at_least=100),
            Figure("refused", "stale commits refused", at_least=100),
            *_ALL_FINE,
        ),
    ),
    Part(
        "ranks",
        "Ranks that fail",
        "In worlds of two and three ranks one raises, hangs (asleep, spinning or stopped) or runs out of"
        " memory (at the limit of its address space, or killed by the kernel at that of a control group) in"
        " the middle of a pass. Here a world counts as hung after 3 s without progress.",
        "make chaos",
        (
            Figure("raises", "ranks that raised", at_least=50),
            Figure("hangs", "ranks that hung", at_least=50),
            Figure("out_of_memory", "ranks that ran out of memory", at_least=50),
            Figure(
                "raises_gone_s", "longest until the world was gone after raising, s", largest, at_most=_GONE_S
            ),
            Figure("hangs_gone_s", "the same after hanging, s", largest, at_most=_GONE_S),
            Figure("out_of_memory_gone_s", "the same out of memory, s", largest, at_most=_GONE_S),
            Figure("left", "processes left of those worlds", at_least=0, at_most=0),
            Figure("untyped", "jobs that ended without a typed error or a result", at_least=0, at_most=0),
            Figure("different", "outputs that differ from those of a quiet run", at_least=0, at_most=0),
        ),
    ),
    *(
        Part(
            f"load-{number}",
            f"{number:,} submissions at once",
            f"32 clients submit {number:,} jobs on one small picture (96 × 128 px), each as fast as it is"
            " answered. What is measured is the queue: the pixels are done in a moment.",
            "make load",
            (
                Figure("submitted", "submitted", at_least=number),
                Figure("succeeded", "succeeded with the right pixels", at_least=number),
                Figure("refused", "refused", at_least=0, at_most=0),
                *(Figure(f"submit_p{p}_ms", f"submission, p{p}, ms", largest) for p in (50, 95, 99)),
                Figure("submissions_per_s", "submissions a second", largest),
                *(
                    Figure(f"done_p{p}_s", f"from submission to result, p{p}, s", largest)
                    for p in (50, 95, 99)
                ),
                Figure("jobs_per_s", "jobs a second, from the first submission to the last result", largest),
            ),
            (f"load-{number}.svg",),
        )
        for number in (1000, 10000)
    ),
    Part(
        "letters",
        "Being told, once",
        "A notifier tells of jobs by mail, webhook and chat to servers on the same machine, and is killed"
        " with -9 when these have the beginning of a message, all of it, or have answered, in turn; another"
        " is started. Servers count messages by their ids. A message may come again, under the same id, only"
        " if the notifier was killed after it had begun to send the last byte, which is on record.",
        "make chaos",
        (
            Figure("kills", "kills of the notifier", at_least=20),
            Figure("letters", "messages that were to come"),
            Figure("missing", "that did not", at_least=0, at_most=0),
            Figure("unsent", "that are not on record as sent", at_least=0, at_most=0),
            Figure("too_often", "that came again without that reason", at_least=0, at_most=0),
            Figure("again", "that came again, where nobody could know"),
        ),
    ),
    Part(
        "strangers",
        "Strangers",
        "A service with a login, in which one user has a job. Another one, and somebody without a login, try"
        " links that are missing, altered, expired or for something else; every method of the client on the"
        " other's job; paths, links, schemes and buckets that lead elsewhere; webhooks to addresses that are"
        " not public; chats that are files, programs or this machine, mail to strangers, what another was"
        " told; and more than their quota. Each must be refused by a typed error or an answer 403 or"
        " 404, and logged.",
        "python -m tests.strangers",
        (
            Figure("tried", "tricks", at_least=50),
            Figure("let_in", "that were not refused", at_least=0, at_most=0),
            Figure("unlogged", "that were not logged", at_least=0, at_most=0),
        ),
    ),
    Part(
        "bad-files",
        "Bad files",
        "Files made to harm (decompression bombs, huge sizes and counts, loops, overlapping tiles, nested"
        " levels and boxes), images of other projects that installed packages ship or that lie in the folders"
        " named by `HALOROW_CORPUS`, and damaged copies of sound files of every format go one by one"
        " through a warm stage process with its limits, set to 256 MiB a rank. Bombs are to be refused when"
        " only the header has been read.",
        "make fuzz",
        (
            Figure("bombs", "bombs", largest, at_least=40),
            Figure("bombs_refused", "bombs refused from the header", largest, at_least=40),
            Figure("bombs_let_in", "bombs not refused from the header", largest, at_least=0, at_most=0),
            Figure("traps", "other files made to harm", largest),
            Figure("corpus", "images of other projects", largest),
            Figure("mutations", "damaged copies", at_least=10_000),
            Figure("wrong", "neither a result nor a typed error", at_least=0, at_most=0),
            Figure("crashes", "processes that a decoder brought down", at_least=0, at_most=0),
            Figure("deaths", "processes that ended at a limit, and were made anew"),
            Figure("slowest_s", "slowest file, s", largest, at_most=10.0),
            Figure("peak_mb", "most memory of a process, libraries included, MB", largest, at_most=512),
        ),
    ),
    *(
        Part(
            f"fuzzing-{name}",
            f"Fuzzing: {title}",
            f"{how} Guided by coverage (atheris); only the project's errors may be raised.",
            "make fuzz",
            (
                Figure("seconds", "seconds", at_least=600),
                Figure("executions", "inputs tried"),
                Figure("found", "inputs that reached something new"),
                Figure("uncaught", "uncaught exceptions", at_least=0, at_most=0),
                Figure("peak_mb", "most memory, MB", largest),
            ),
        )
        for name, title, how in (
            (
                "grammar",
                "the pipeline grammar",
                "Text is read as a pipeline, written in every spelling, read again and planned.",
            ),
            (
                "planner",
                "the TIFF planner",
                "Bytes are read as the directories of a TIFF, and pipelines are planned for what they say.",
            ),
            (
                "contract",
                "the contract",
                "Lines of the control protocol are read as ranks and supervisors do.",
            ),
        )
    ),
    Part(
        "store-faults",
        "Store faults",
        "Jobs on a fake Google Cloud Storage that answers with errors, resets, stalls, cuts short, alters"
        " bytes and loses answers, while the input is read, parts are uploaded and composed, records are"
        " written and listed; jobs on a disk that is full or read-only for a while; single writes to a local"
        " store whose calls the system refuses, or whose process is killed. Every object is looked at as it"
        " becomes visible.",
        "make fuzz",
        (
            Figure("scenarios", "scenarios", largest, at_least=30),
            Figure("torn", "torn objects visible", at_least=0, at_most=0),
            Figure("different", "outputs that differ from a quiet run's", at_least=0, at_most=0),
            Figure("looked_at", "objects looked at as they appeared", largest),
        ),
    ),
    Part(
        "soak",
        "Four hours' work in twenty minutes",
        "Three jobs a second for twenty minutes, as many as one every four seconds makes in four hours;"
        " small jobs and worlds of two ranks. Growth is that of the last quarter's median over the second"
        " quarter's. Ray's log monitor keeps up to 20 files of actors that have ended open.",
        "make chaos",
        (
            Figure("minutes", "minutes", at_least=20),
            Figure("jobs", "jobs", at_least=3000),
            Figure("lost", "jobs lost", at_least=0, at_most=0),
            Figure("different", "outputs that differ from those of a quiet run", at_least=0, at_most=0),
            Figure("memory_growth_percent", "growth of the service's memory, %", largest, at_most=3),
            Figure("files_growth", "growth of its open files", largest, at_most=20),
        ),
        ("soak.svg",),
    ),
)
"""In the order of the page."""
