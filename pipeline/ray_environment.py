"""What Ray is to find in its environment. Ray reads it when it is imported: this must come first."""

import os
import sys
from pathlib import Path

TOKEN_FILE = "ray-token"  # noqa: S105  # a file's name


def prepare(data_dir: Path) -> None:
    """Set this process's environment, which all of Ray's processes inherit, for a service in ``data_dir``.

    Ray asks for a token, sends no usage statistics, and leaves the GPUs' visibility alone. Scripts
    that are submitted as Ray jobs find this service and this Python.
    """
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    os.environ.update(
        {
            "HALOROW_DATA_DIR": str(data_dir),
            "PATH": os.pathsep.join(programs),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(data_dir / TOKEN_FILE),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
            # The actors' processes are started when Ray is up: until then everything else is waited for,
            # and Ray gives itself half a minute.
            "RAY_prestart_worker_first_driver": "0",
        }
    )
