"""``halorow support-bundle``: what others need to see what ails a service, and none of its secrets.

Settings, versions, findings of the doctor, queues, jobs that failed, ends of the logs. Secrets are hidden
by their names and forms, as in logs, and wherever the very words of a secret setting or of a secret file
in the data directory appear. Images, and the names that users have given to them, stay at home.
"""

import json
import os
import platform
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path

from pydantic import SecretStr

from mpi_stage.errors import OutputExistsError
from pipeline.cli.doctor import examine_all
from pipeline.client import Client
from pipeline.cluster.environment import TOKEN_FILE
from pipeline.config import Settings
from pipeline.errors import HalorowError, SettingsError
from pipeline.logs import HIDDEN, redacted
from pipeline.models import JobState, JobStatus

LOG_BYTES = 200_000
"""Of the end of each log."""

JOBS = 200
_SECRET_FILES = (TOKEN_FILE, "link-secret")
_LEAST_SECRET = 4
_NAMED = {"input_name", "user", "batch", "output_key"}


def write_bundle(output: Path, data_dir: Path | None) -> list[str]:
    """Write the archive, for its owner alone; return the names of what is in it.

    Raises OutputExistsError, OSError.
    """
    if output.exists():
        raise OutputExistsError(f"{output} exists already; name another file")
    cleaner = _Cleaner(data_dir)
    names = []
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _parts(cleaner, data_dir):
            archive.writestr(name, cleaner.cleaned(content if isinstance(content, str) else _json(content)))
            names.append(name)
    return names


def _json(content: object) -> str:
    return json.dumps(redacted(content), ensure_ascii=False, indent=1, default=str)


class _Cleaner:
    """Knows the words that must not leave."""

    def __init__(self, data_dir: Path | None) -> None:
        self.settings: Settings | None = None
        self.fault = ""
        words: set[str] = set()
        try:
            self.settings = Settings.load(data_dir=data_dir)
        except SettingsError as error:
            self.fault = error.public_message
        else:
            values = (getattr(self.settings, name) for name in Settings.model_fields)
            words |= {one.get_secret_value() for one in values if isinstance(one, SecretStr)}
            words |= set(_words_of_files(self.settings.data_dir))
        words |= {word.rpartition("@")[0].rpartition(":")[2] for word in words if "@" in word}
        # The longest first: one may be a part of another.
        self._words = sorted((word for word in words if len(word) >= _LEAST_SECRET), key=len, reverse=True)

    def cleaned(self, text: str) -> str:
        """Return a text without secrets."""
        for word in self._words:
            text = text.replace(word, HIDDEN)
        return str(redacted(text))


def _words_of_files(data_dir: Path) -> Iterator[str]:
    for name in _SECRET_FILES:
        with suppress(OSError):
            yield (data_dir / name).read_text(encoding="utf-8").strip()


def _parts(cleaner: _Cleaner, data_dir: Path | None) -> Iterator[tuple[str, object]]:
    yield "versions.json", _versions()
    findings = [vars(one) for one in examine_all(lambda: Settings.load(data_dir=data_dir))]
    yield "doctor.json", findings
    if cleaner.settings is None:
        yield "settings.txt", cleaner.fault
        return
    yield "settings.json", cleaner.settings.model_dump(mode="json")
    yield "jobs.json", _jobs(cleaner.settings)
    for path in sorted((cleaner.settings.data_dir / "logs").glob("*.log")):
        yield f"logs/{path.name}", _end_of(path)
    redis_log = cleaner.settings.data_dir / "redis" / "redis.log"
    if redis_log.exists():
        yield "logs/redis.log", _end_of(redis_log)


def _versions() -> dict[str, object]:
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "packages": dict(sorted(packages.items())),
    }


def _jobs(settings: Settings) -> dict[str, object]:
    """Return how many jobs are in which state, and of those that have failed what is known."""
    try:
        found = Client.connect(settings).jobs(limit=JOBS)
    except HalorowError as error:
        return {"fault": error.public_message}
    counts = {state.value: sum(one.state is state for one in found) for state in JobState}
    troubled = [_troubled(one) for one in found if one.error]
    return {"newest": len(found), "states": counts, "troubled": troubled}


def _troubled(status: JobStatus) -> dict[str, object]:
    """Return a status without what users have named, in its error too."""
    kept = status.model_dump(mode="json", exclude=_NAMED | {"ranks"})
    return kept | {"error": (status.error or "").replace(status.input_name, "INPUT")}


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")
