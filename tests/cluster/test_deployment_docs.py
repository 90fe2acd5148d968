"""``docs/deploy-gce.md`` says what ``cluster.yaml`` and the provider need, and no more."""

import re
from pathlib import Path

import pytest
import yaml
from fakes.gce import FakeGce

from pipeline.cluster.gce_provider import GceNodeProvider
from pipeline.config import Settings
from pipeline.settings.sources import ENVIRONMENT_PREFIX
from tests.cluster.autoscaler_rounds import CONNECTIONS_LEFT

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "deploy-gce.md").read_text()

# Compute Engine's documentation names them with each method, and with each field of a new machine.
OF_CALLS = {
    "insert": "compute.instances.create",
    "list": "compute.instances.list",
    "get": "compute.instances.get",
    "delete": "compute.instances.delete",
    "setLabels": "compute.instances.setLabels",
    "operation": "compute.zoneOperations.get",
}
OF_FIELDS = {
    "disks": "compute.disks.create",
    "labels": "compute.instances.setLabels",
    "metadata": "compute.instances.setMetadata",
    "networkInterfaces": "compute.subnetworks.use",
    "serviceAccounts": "compute.instances.setServiceAccount",
    "tags": "compute.instances.setTags",
}
WITHOUT = {"machineType", "name", "scheduling", "status", "labelFingerprint"}

pytestmark = CONNECTIONS_LEFT


@pytest.fixture
def config():
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def test_the_head_may_do_what_its_provider_does_and_nothing_else(config, tmp_path, monkeypatch):
    with FakeGce() as gce:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(gce.write_key(tmp_path / "key.json")))
        provider = GceNodeProvider(config["provider"] | {"endpoint": gce.endpoint}, "halorow")
        fields = set()
        for name, kind in config["available_node_types"].items():
            tags = {"ray-node-name": "ray-halorow-worker", "ray-user-node-type": name}
            for machine in provider.create_node(kind["node_config"], tags, 1):
                fields |= gce.machines[machine].keys() - WITHOUT
                provider.set_node_tags(machine, {"ray-node-status": "up-to-date"})
                gce.vanish(machine)
                provider.non_terminated_nodes({})
                provider.node_tags(machine)
                provider.terminate_node(machine)
        needed = {OF_CALLS[call] for call in gce.calls} | {OF_FIELDS[field] for field in fields}

    granted = re.search(
        r"--permissions=(.*?)\n[^,]*$", TEXT[: TEXT.index("gcloud projects add-iam")], re.DOTALL
    )
    assert granted is not None
    assert set(re.sub(r"[\\\s]", "", granted[1]).split(",")) == needed


def test_the_secret_has_what_the_commands_of_the_cluster_ask_for(config):
    secret = re.search(r"--data-file=- <<END\n(.*?)END", TEXT, re.DOTALL)
    assert secret is not None
    given = {line.partition("=")[0] for line in secret[1].splitlines()}
    commands = " ".join(config["head_start_ray_commands"] + config["worker_start_ray_commands"])
    asked = set(re.findall(r"\$([A-Z_]+)", commands)) - {"RAY_HEAD_IP"}  # Ray's launcher sets that one
    settings = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert asked
    assert given - settings == asked
    assert {"HALOROW_STORE_URI", "HALOROW_REDIS_URL"} <= given


def test_the_secret_and_the_address_have_the_names_that_the_file_uses(config):
    commands = " ".join(config["initialization_commands"])
    assert "--secret=halorow-env" in commands
    assert "gcloud secrets create halorow-env" in TEXT
    head = config["available_node_types"]["head"]["node_config"]
    assert f"--addresses={head['networkInterfaces'][0]['networkIP']}" in TEXT


def test_the_figures_of_the_cost_are_those_of_the_benchmark():
    quoted = re.search(r"(\d\.\d+) s \(\[results\]\(\.\./(.*?)\)", TEXT)
    formula = re.search(r"H = 2 × (\d\.\d+) / 16384² × 10¹² / 3600 = (\d\.\d+)", TEXT)
    assert quoted is not None
    assert formula is not None
    printed = (ROOT / quoted[2]).read_text()
    assert re.search(rf"\| `gaussian:sigma=2` \| \d+ \| {re.escape(quoted[1])} \(", printed)
    assert "2 ranks" in printed
    assert formula[1] == quoted[1]
    assert float(formula[2]) == pytest.approx(2 * float(quoted[1]) / 16384**2 * 1e12 / 3600, abs=0.005)
