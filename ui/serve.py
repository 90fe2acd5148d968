"""Program that serves the page: ``python -m ui.serve [--host HOST] [--port PORT]``.

Everything comes from the settings (``pipeline.config``); the two flags win over them. It ends on
SIGTERM or Ctrl-C.
"""

import argparse
import sys
from typing import Any

from pipeline import logs
from pipeline.access.page_access import check_exposure, write_login
from pipeline.config import Settings
from pipeline.errors import SettingsError
from ui.app import make_app
from ui.service import connection as service

LARGEST_UPLOAD_MB = 5
"""Of what the page itself holds in memory, such as a preset; images go past it, see ``ui.uploads``."""


AS_REQUESTS_COME = {
    # It takes a tenth of a second after each drawing, in which the next one waits. Python collects by itself.
    "runner.postScriptGC": False,
    # Browsers forget long messages after so many drawings, and fast clicks make many that nobody sees. One
    # that comes as a mere reference, since the browser had it when it asked, would then end the page.
    "global.maxCachedMessageAge": 50,
}
"""How Streamlit goes about requests that come one upon the other."""


def page_config(host: str, port: int) -> dict[str, Any]:
    """Return Streamlit's configuration: where to listen, nothing sent out, no stack traces, our colours."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": LARGEST_UPLOAD_MB,
        "server.runOnSave": False,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
        "logger.hideWelcomeMessage": True,
        "runner.magicEnabled": False,
        **AS_REQUESTS_COME,
        "theme.light.primaryColor": "#0f766e",
        "theme.light.backgroundColor": "#ffffff",
        "theme.light.textColor": "#141a19",  # captions are six tenths of it, and to be read with ease
        "theme.light.secondaryBackgroundColor": "#f3f6f6",
        "theme.dark.primaryColor": "#0d9488",
        "theme.dark.backgroundColor": "#0f1517",
        "theme.dark.secondaryBackgroundColor": "#1a2326",
        "theme.baseRadius": "medium",
    }


def login_config(settings: Settings) -> dict[str, Any]:
    """Return where Streamlit finds what it needs for its login, if there is to be one."""
    return {"secrets.files": [str(write_login(settings))]} if settings.has_login else {}


def main(argv: list[str] | None = None) -> int:
    """Serve the page until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ui.serve", description="Serve the page of halorow.")
    parser.add_argument("--host", help="address to listen on (page_host of the settings)")
    parser.add_argument("--port", type=int, help="port to listen on (page_port of the settings)")
    arguments = parser.parse_args(argv)
    try:
        settings = service.settings()
        host = arguments.host or settings.page_host
        check_exposure(settings, host)
    except SettingsError as error:
        sys.stderr.write(f"{error.public_message}\n")
        return error.exit_code
    logs.configure(settings.log_level)
    port = settings.page_port if arguments.port is None else arguments.port
    make_app().run(config={**page_config(host, port), **login_config(settings)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
