"""Secrets that are planted everywhere come out nowhere: not in logs, errors, events, ``repr`` or bundles."""

import ast
import io
import json
import logging
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import logs
from pipeline.access.page_access import write_login
from pipeline.attempts.runner import JobRunner
from pipeline.attempts.workplace import Workplace
from pipeline.channels.keys import PEOPLE
from pipeline.channels.models import Medium
from pipeline.cli.application import application
from pipeline.cli.support_bundle import write_bundle
from pipeline.client import Client
from pipeline.config import Settings, write_connection
from pipeline.connect import connect_parts
from pipeline.embedded.redis_server import RedisServer
from pipeline.errors import HalorowError
from pipeline.models import Lane
from pipeline.notify.choices import ChoiceBook
from pipeline.notify.outbox import Outbox
from pipeline.notify.postman import Postman
from pipeline.notify.sender import sender_of

ROOT = Path(__file__).parents[2]
WORD = "sesame7f3a"
SECRETS = {
    "link_secret": f"{WORD}-link-kljhasd",
    "login_client_secret": f"{WORD}-client-qwoei",
    "smtp_password": f"{WORD}-mail-yxcv",
}


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """Give the address of a server whose password is easily found."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server._password = f"{WORD}-redis-zmxnc"
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def settings(redis_url, tmp_path, monkeypatch):
    """Give settings with secrets that are easily found."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"HALOROW_{name.upper()}", value)
    monkeypatch.setenv("HALOROW_REDIS_URL", redis_url)
    monkeypatch.setenv("HALOROW_LOGIN_METADATA_URL", "https://id.example/x")
    monkeypatch.setenv("HALOROW_LOGIN_CLIENT_ID", "halorow")
    monkeypatch.setenv("HALOROW_NOTIFY_SERVICES", "json")
    monkeypatch.setenv("HALOROW_DATA_DIR", str(tmp_path / "data"))
    return Settings.load(log_level="debug")


def exercise(settings, stage, photo, folder):
    """Have the service do what it does, with failures; yield texts that others may come to see."""
    parts = connect_parts(settings)
    client = Client(parts, settings)
    ear = client.events()
    yield from chosen(client)
    good = client.submit(photo, "invert")
    bad = client.submit_bytes(b"no image", "bad.png", "invert")
    runner = JobRunner(
        parts, stage, Workplace(parts.store, folder / "scratch"), lane=Lane.SINGLE, consumer="w"
    )
    for _ in range(2):
        assert runner.work_once()
    while event := ear.next(0.2):
        yield event.model_dump_json()
    ear.close()
    for one in (settings, parts, client, runner, parts.store, parts.queue, parts.board, ear, parts.notices):
        yield repr(one)
        yield str(one)
    for job in (good.id, bad.id):
        yield client.status(job).model_dump_json()
        yield client.manifest(job).model_dump_json()
        yield repr(client.failure(job))
        yield json.dumps([turn.to_json(job) for turn in client.timeline(job)])
    for info in parts.store.list(""):
        if info.key.endswith(".json") and not info.key.startswith(PEOPLE):
            yield parts.store.get_bytes(info.key).decode()
    client.close()


def chosen(client):
    """Choose to be told at addresses that are secrets; yield what is said of them."""
    desk = client.desk()
    for medium, address in (
        (Medium.WEBHOOK, f"https://127.0.0.1:1/{WORD}-hook-poqwe"),
        (Medium.CHAT, f"json://127.0.0.1:1/{WORD}-chat-mnbv"),
    ):
        channel = desk.add(medium, address)
        yield repr(channel) + channel.model_dump_json()
    for wrong in (f"slack://{WORD}", f"json://h/{WORD}?x=1", f"https://u:{WORD}@host/"):
        try:
            desk.add(Medium.WEBHOOK if "@" in wrong else Medium.CHAT, wrong)
        except HalorowError as error:
            yield f"{error!r} {error.public_message}"
    yield repr(desk) + desk.choices().model_dump_json()
    for one in desk.choices().channels:
        desk.test(one.id)


def tell(settings):
    """Send the letters that wait; yield what is written down of them."""
    parts = connect_parts(settings)
    sender = replace(sender_of(settings), allow_private=False)
    book = ChoiceBook(parts.store, sender.rules)
    outbox = Outbox(parts.store)
    postman = Postman(outbox, book, parts.records, sender)
    with ThreadPoolExecutor(1) as pool:
        postman.look(outbox.due(), pool, lambda: None)
    for info in parts.store.list("outbox/"):
        yield parts.store.get_bytes(info.key).decode()
    yield repr(sender) + repr(sender.mail) + repr(postman) + repr(book)
    parts.close()


def errors(settings):
    """Yield what is said of settings that are wrong, and of a Redis that refuses or is away."""
    url = settings.redis_url.get_secret_value()
    for changed in (
        {"redis_url": f"http://:{WORD}-url@host"},
        {"link_secret": [WORD]},
        {"login_metadata_url": "https://x", "login_client_id": "", "login_client_secret": WORD},
    ):
        with suppress(HalorowError):
            yield repr(Settings.load(find_service=False, **changed))
        try:
            Settings.load(find_service=False, **changed)
        except HalorowError as error:
            yield f"{error!r} {error.public_message}"
    for wrong in (
        url.replace("zmxnc", "wrong"),
        f"redis://:{WORD}-away@127.0.0.1:1/0",
        f"redis://{WORD}:x:y",
    ):
        try:
            changed = settings.model_copy(update={"redis_url": type(settings.redis_url)(wrong)})
            Client.connect(changed, patience_s=0.0)
        except HalorowError as error:
            yield f"{error!r} {error.public_message}"


def test_planted_secrets_come_out_nowhere(settings, stage, photo, tmp_path, monkeypatch):
    said = io.StringIO()
    logs.configure("debug")
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    try:
        with redirect_stderr(said), redirect_stdout(said):
            texts = [*exercise(settings, stage, photo, tmp_path), *tell(settings), *errors(settings)]
            logs.get_logger().warning("told", url=settings.redis_url.get_secret_value(), secret=WORD)
            with Client(parts := connect_parts(settings), settings) as client:
                link = client.submit(photo, "invert")
            logs.get_logger().info("a link", link=parts.store.sign(f"uploads/{link.id}"))
    finally:
        logging.getLogger().removeHandler(handler)
    said = said.getvalue()
    assert "attempt committed" in said, "the search covers the log"
    signature = "signature="
    assert signature not in said.replace(f"{signature}{logs.HIDDEN}", "")
    assert [text for text in [said, *texts] if WORD in text] == []


def test_commands_and_bundles_tell_no_secret(settings, tmp_path):
    folder = settings.data_dir / "logs"
    folder.mkdir(parents=True)
    (settings.data_dir / "ray-token").write_text(f"{WORD}-token-poiu")
    whispered = [*SECRETS.values(), settings.redis_url.get_secret_value(), f"{WORD}-token-poiu"]
    (folder / "page.log").write_text("\n".join(f"something says {one}." for one in whispered))
    archive = tmp_path / "bundle.zip"

    names = write_bundle(archive, settings.data_dir)

    assert {"doctor.json", "settings.json", "versions.json", "jobs.json", "logs/page.log"} <= set(names)
    assert archive.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(archive) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert "something says" in texts["logs/page.log"]
    assert [name for name, text in texts.items() if WORD in text] == []

    with Client.connect(settings) as client:
        client.desk().add(Medium.WEBHOOK, f"https://example.org/{WORD}-hook")
    for words in (
        ["notifications"],
        ["notifications", "--json"],
        ["jobs"],
        ["doctor", "--json"],
        ["clean", "--dry-run"],
        ["jobs", "--json"],
    ):
        output = CliRunner().invoke(application(words), words).output
        assert output
        assert WORD not in output


def test_files_with_secrets_are_for_their_owner_alone(settings):
    settings.data_dir.mkdir(exist_ok=True)
    for path in (write_connection(settings), write_login(settings)):
        assert path.stat().st_mode & 0o077 == 0
        assert WORD in path.read_text()


def test_a_bundle_takes_the_place_of_nothing(settings, tmp_path):
    there = tmp_path / "there.zip"
    there.write_text("mine")
    with pytest.raises(Exception, match="exists already"):
        write_bundle(there, settings.data_dir)
    assert there.read_text() == "mine"


UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}


def test_nothing_of_ours_reads_pickles_or_runs_texts():
    """Ray and mpi4py pickle between our own processes, which a token and a world's own sockets keep apart."""
    found = []
    for package in ("pipeline", "mpi_stage", "gpu_kernels", "ui", "jobs"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if UNSAFE & {name.partition(".")[0] for name in names}:
                    found.append(f"{path}:{node.lineno}")
                if isinstance(node, ast.Call):
                    found += [f"{path}:{node.lineno}"] * _runs_or_unpickles(node)
    assert found == []
    assert "pickle" in sys.modules, "the search knows what it looks for"


def _runs_or_unpickles(call):
    named = call.func.id if isinstance(call.func, ast.Name) else ""
    allows = [word for word in call.keywords if word.arg == "allow_pickle"]
    allows = [one for one in allows if getattr(one.value, "value", None) is not False]
    return int(named in {"eval", "exec"}) + len(allows)
