"""A client whose service lives in this process, and the page drawn by Streamlit's own test runner."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pipeline import layout
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.memory.parts import memory_parts
from pipeline.models import ObjectRef, Result
from pipeline.records import statuses
from pipeline.stores.local import LocalStore
from ui.service import connection as service

PAGE = Path(service.__file__).parents[1] / "page.py"
BASE_URL = "http://127.0.0.1:8501"


@pytest.fixture(autouse=True)
def fresh_feed():
    """Have no test know the jobs of another, and none listen on."""
    service.feed.cache_clear()
    yield
    service.feed().close()
    service.feed.cache_clear()


@pytest.fixture
def parts(tmp_path):
    """Give the parts of a service without workers, its queue and board in memory."""
    store = LocalStore(tmp_path / "store", b"of the tests", BASE_URL)
    return memory_parts(store)


@pytest.fixture
def client(parts, tmp_path, monkeypatch):
    """Give the client that the page uses."""
    settings = Settings.load(
        find_service=False,
        data_dir=tmp_path,
        link_secret="of the tests",  # noqa: S106  (a test's)
        preview_processes=0,
    )
    made = Client(parts, settings)
    monkeypatch.setattr(service, "connection", lambda: made)
    monkeypatch.setattr(service, "settings", lambda: settings)
    st.cache_data.clear()
    return made


@pytest.fixture
def page(client):  # noqa: ARG001  (the page asks for it)
    """Give the page, drawn once."""
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


@pytest.fixture
def fresh_page(client):  # noqa: ARG001  (the page asks for it)
    """Give what opens the page by an address, as another visit."""

    def opened(address):
        visit = AppTest.from_file(str(PAGE), default_timeout=30)
        for name, value in parse_qsl(urlsplit(address).query):
            visit.query_params[name] = value
        return visit.run()

    return opened


@pytest.fixture
def finish(parts):
    """Give what gives a job a result, its input's bytes, as a worker would."""

    def finished(job, **report):
        source = parts.store.local_path(parts.records.manifest(job.id).input.key)
        info = parts.store.put_file(layout.output_key(job.id, 1, job.input_name), source)
        output = ObjectRef(key=info.key, size_bytes=info.size_bytes, generation=info.generation)
        result = Result(
            job_id=job.id,
            attempt=1,
            output=output,
            output_name=job.input_name,
            pixels_sha256="d1ce",
            report={"rows": 40, "columns": 60, "channels": 1, "dtype": "uint8", "seconds": 0.5, **report},
        )
        parts.records.commit(result)
        parts.records.close(job.id)
        parts.board.put(statuses.ended(parts.records.manifest(job.id), result, job))
        return result

    return finished
