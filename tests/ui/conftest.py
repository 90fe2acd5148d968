"""A client whose service lives in this process, and the page drawn by Streamlit's own test runner."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pipeline.client import Client
from pipeline.config import Settings
from pipeline.memory_notices import MemoryNoticeBoard
from pipeline.memory_ports import MemoryBoard, MemoryBus, MemoryQueue
from pipeline.parts import Parts
from pipeline.stores.local import LocalStore
from ui import service

PAGE = Path(service.__file__).with_name("page.py")
BASE_URL = "http://127.0.0.1:8501"


@pytest.fixture
def parts(tmp_path):
    """Give the parts of a service without workers, its queue and board in memory."""
    store = LocalStore(tmp_path / "store", b"of the tests", BASE_URL)
    return Parts(store, MemoryQueue(), MemoryBoard(), MemoryBus(), MemoryNoticeBoard())


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
