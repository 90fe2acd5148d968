"""What Ray is to find in its environment. Ray reads it when it is imported: this must come first."""

import os
import sys
from pathlib import Path

TOKEN_FILE = "ray-token"  # noqa: S105  # a file's name

QUIET = {
    # Its agents hear of their parent's end by a pipe; else they look for it several times a second.
    "RAY_enable_pipe_based_agent_to_parent_health_check": "1",
    # Nobody reads the actors' output through Ray, yet it looks for new files ten times a second.
    "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0",
    "LOG_NAME_UPDATE_INTERVAL_S": "60",
    # Figures of Ray itself, for a Prometheus that an embedded service has not.
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    "RAY_debug_dump_period_milliseconds": "0",
    "RAY_task_events_report_interval_ms": "0",
    "REPORTER_UPDATE_INTERVAL_MS": "60000",
    # What changes rarely here: workers, memory, and what there is to collect.
    "RAY_memory_monitor_refresh_ms": "1000",
    "RAY_kill_idle_workers_interval_ms": "2000",
    "RAY_raylet_check_gc_period_milliseconds": "1000",
}
"""What makes Ray's own processes rest while there is nothing to do; whoever has set them keeps theirs."""


def prepare(data_dir: Path) -> None:
    """Set this process's environment, which all of Ray's processes inherit, for a service in ``data_dir``.

    Ray asks for a token, listens on the loopback interface alone, sends no usage statistics, and leaves
    the GPUs' visibility alone. Scripts that are submitted as Ray jobs find this service and this Python.
    """
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    os.environ.update(
        {
            "HALOROW_DATA_DIR": str(data_dir),
            "PATH": os.pathsep.join(programs),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(data_dir / TOKEN_FILE),
            # Whatever it is told, it would listen on an address that other machines reach, so as to be
            # ready for a cluster; the name of the switch tells for which systems it was made.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
            # The actors' processes are started when Ray is up: until then everything else is waited for,
            # and Ray gives itself half a minute.
            "RAY_prestart_worker_first_driver": "0",
            # It keeps those of actors that have ended open until there are so many, by default 200.
            "RAY_LOG_MONITOR_MAX_OPEN_FILES": "20",
        }
    )
