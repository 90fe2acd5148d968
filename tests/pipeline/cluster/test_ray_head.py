"""The program that runs Ray ends where Ray cannot go on, to be started again."""

import shutil
import subprocess
import sys

from pipeline.cluster.head import EXIT_LOST

WAIT_S = 120

STARTING = """
import subprocess, sys, threading
from pipeline.cluster.head import ended_with_servers

with ended_with_servers():
    subprocess.Popen([sys.argv[1], "0"])
    threading.Event().wait()
"""


def test_a_start_is_given_up_when_one_of_ray_s_servers_ends(tmp_path):
    server = tmp_path / "gcs_server"
    server.symlink_to(shutil.which("sleep"))

    done = subprocess.run([sys.executable, "-c", STARTING, server], check=False, timeout=WAIT_S)

    assert done.returncode == EXIT_LOST
