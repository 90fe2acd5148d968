"""Ray's autoscaler and the provider of ``cluster.yaml``, against Compute Engine's protocol over HTTP."""

from pathlib import Path

import pytest
import yaml
from fakes.gce import FakeGce
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from ray.autoscaler._private.gcp import config as gcp_config
from ray.autoscaler._private.gcp.node_provider import GCPNodeProvider
from ray.autoscaler.tags import TAG_RAY_NODE_STATUS
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig, InstanceReconcileConfig

from pipeline.cluster.gce_provider import GceNodeProvider
from tests.cluster.autoscaler_rounds import CONNECTIONS_LEFT, Rounds

pytestmark = CONNECTIONS_LEFT

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 12
TAGS = {"ray-node-name": "ray-halorow-worker", "ray-node-type": "worker", "ray-user-node-type": "cpu-spot"}


@pytest.fixture
def gce(tmp_path, monkeypatch):
    with FakeGce() as running:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(running.write_key(tmp_path / "key.json")))
        yield running


@pytest.fixture
def config(gce, tmp_path):
    read = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    read["auth"]["ssh_private_key"] = str(tmp_path / "ssh")
    (tmp_path / "ssh").write_text("any key: it is hashed alone")
    read["provider"] |= {"endpoint": gce.endpoint, "disable_node_updaters": True}
    return read


@pytest.fixture
def spot(config):
    return config["available_node_types"]["cpu-spot"]["node_config"]


@pytest.fixture
def provider(config):
    return GceNodeProvider(config["provider"], config["cluster_name"])


@pytest.fixture
def rays_own(config, gce, monkeypatch):
    """Give Ray's provider as it is, led to the same server."""

    real = discovery.build

    def build(*names, **options):
        return real(*names, **options, client_options={"api_endpoint": gce.endpoint})

    monkeypatch.setattr(gcp_config, "_create_crm", lambda *_: None)
    monkeypatch.setattr(gcp_config, "_create_iam", lambda *_: None)
    monkeypatch.setattr(gcp_config.discovery, "build", build)
    return GCPNodeProvider(config["provider"], config["cluster_name"])


@pytest.fixture
def rounds(config, tmp_path):
    made = Rounds(config, tmp_path / "config.yaml")
    yield made
    made.close()


def until(rounds, true):
    """Have the autoscaler go round until something is so."""
    for _ in range(ROUNDS):
        rounds.round()
        if true():
            return
    pytest.fail(f"not within {ROUNDS} rounds")


def test_a_machine_is_made_as_the_file_says_with_the_labels_by_which_it_is_found(provider, gce, spot):
    (name,) = provider.create_node(spot, TAGS, 1)

    made = gce.machines[name]
    assert made["machineType"] == f"zones/europe-west4-a/machineTypes/{spot['machineType']}"
    assert made["scheduling"] == spot["scheduling"]
    assert made["serviceAccounts"][0]["email"].startswith("halorow-worker@")
    assert "accessConfigs" not in made["networkInterfaces"][0]
    assert provider.non_terminated_nodes({"ray-node-type": "worker"}) == [name]
    assert provider.non_terminated_nodes({"ray-node-type": "head"}) == []
    assert provider.is_running(name)
    assert provider.internal_ip(name) == made["networkInterfaces"][0]["networkIP"]


def test_the_tags_of_a_machine_are_set_beside_those_it_has(provider, spot):
    (name,) = provider.create_node(spot, TAGS, 1)

    provider.set_node_tags(name, {TAG_RAY_NODE_STATUS: "up-to-date"})

    provider.non_terminated_nodes({})
    assert provider.node_tags(name).items() >= {**TAGS, TAG_RAY_NODE_STATUS: "up-to-date"}.items()


def test_machines_are_deleted_without_waiting_for_them(provider, gce, spot):
    names = list(provider.create_node(spot, TAGS, 2))
    before = gce.calls.count("operation")

    provider.terminate_nodes(names)

    assert gce.machines == {}
    assert gce.calls.count("operation") == before


def test_a_machine_that_has_vanished_counts_as_ended(provider, gce, spot):
    (name,) = provider.create_node(spot, TAGS, 1)
    gce.vanish(name)

    assert provider.is_terminated(name)
    assert not provider.is_running(name)
    assert provider.node_tags(name) == {}
    provider.set_node_tags(name, {TAG_RAY_NODE_STATUS: "up-to-date"})


def test_a_machine_that_has_vanished_does_not_keep_others_from_being_deleted(provider, gce, spot):
    gone, other = provider.create_node(spot, TAGS, 2)
    gce.vanish(gone)

    provider.terminate_nodes([gone, other])

    assert gce.machines == {}


def test_rays_own_provider_still_breaks_on_machines_that_have_vanished(rays_own, gce, spot):
    gone, other = rays_own.create_node(spot, TAGS, 2)
    gce.vanish(gone)

    with pytest.raises(UnboundLocalError):
        rays_own.terminate_nodes([gone, other])
    with pytest.raises(HttpError):
        rays_own.node_tags(gone)
    assert list(gce.machines) == [other]


@pytest.mark.parametrize("lack", ["exhausted", "quota"])
def test_a_machine_that_cannot_be_had_is_listed_as_one_that_does_not_come_up(provider, gce, spot, lack):
    if lack == "exhausted":
        gce.exhausted = {"SPOT"}
    else:
        gce.quota = 0

    provider.create_node(spot, TAGS, 2)

    names = provider.non_terminated_nodes(TAGS)
    assert len(names) == 2
    assert not any(map(provider.is_running, names))
    assert [provider.node_tags(name) for name in names] == [TAGS] * 2
    provider.terminate_nodes(names)
    assert provider.non_terminated_nodes({}) == []


def test_a_fault_of_another_kind_is_raised_after_the_others_have_been_asked_for(provider, gce, spot):
    gce.forbidden = True

    with pytest.raises(HttpError, match=r"compute\.instances\.create"):
        provider.create_node(spot, TAGS, 2)

    assert gce.calls.count("insert") == 2
    assert provider.non_terminated_nodes({}) == []


def test_nothing_of_the_project_is_changed_before_the_head_is_made(config):
    assert GceNodeProvider.bootstrap_config(config) == config


def test_the_autoscaler_makes_spot_machines_for_what_is_asked_for(rounds, gce):
    rounds.control.demands = [{"CPU": 16.0}] * 3

    until(rounds, lambda: len(gce.of_type("cpu-spot")) == 3)

    assert gce.of_type("cpu") == []


def test_a_machine_that_vanishes_while_the_autoscaler_looks_stops_no_round(rounds, gce, monkeypatch):
    rounds.control.demands = [{"CPU": 16.0}]
    until(rounds, lambda: gce.of_type("cpu-spot"))
    (name,) = gce.of_type("cpu-spot")
    rounds.control.join(name, "cpu-spot", {"CPU": 16.0})
    rounds.round()
    listed = rounds.provider.non_terminated_nodes

    def list_and_lose(tags):
        """Return a machine that is gone when it is looked at, as another thread's list has noticed."""
        found = listed(tags)
        if name in gce.machines:
            gce.vanish(name)
        listed({})
        return found

    with monkeypatch.context() as now:
        now.setattr(rounds.provider, "non_terminated_nodes", list_and_lose)
        assert rounds.round() is not None

    del rounds.control.nodes[name]
    until(rounds, lambda: gce.of_type("cpu-spot"))


def test_on_demand_machines_take_the_place_of_spot_machines_that_cannot_be_had(rounds, gce, monkeypatch):
    gce.exhausted = {"SPOT"}
    at_once = InstanceReconcileConfig(allocate_status_timeout_s=0)
    monkeypatch.setattr(AutoscalingConfig, "get_instance_reconcile_config", lambda _: at_once)
    rounds.control.demands = [{"CPU": 16.0}]

    until(rounds, lambda: gce.of_type("cpu"))
