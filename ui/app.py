"""The ASGI application: Streamlit's page and our routes beside it."""

import logging
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from ui.routes.files import UncompressedFiles, file_routes
from ui.routes.live import live_routes
from ui.routes.tiles import tile_routes
from ui.service import connection as service
from ui.shipped import shipped_routes
from ui.uploads.routes import upload_routes

SCRIPT = Path(__file__).with_name("page.py")
_log = logging.getLogger(__name__)


def make_app() -> st.App:
    """Return the application; the service is reached when the first request needs it."""
    return st.App(
        SCRIPT,
        routes=[
            *file_routes(service.link_secret, service.find_file, service.archive),
            *upload_routes(service.link_secret, lambda name: service.client_of(name).uploads()),
            *live_routes(service.link_secret, service.feed, service.client_for),
            *shipped_routes(),
            *tile_routes(service.link_secret, service.tile_readers, service.client_for),
        ],
        middleware=[Middleware(UncompressedFiles)],
        on_script_error=_tell,
    )


def _tell(error: Exception) -> bool:
    """Log an error that nothing caught, and show the user a sentence instead of it."""
    _log.error("the page failed", exc_info=error)
    st.error(
        "Something went wrong on this page. Your jobs are not affected: reload the page to go on.",
        icon=":material/error:",
    )
    return True
