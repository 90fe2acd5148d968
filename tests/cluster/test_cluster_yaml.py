"""``cluster.yaml`` is what Ray's launcher and Compute Engine take, checked without either of them."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from fakes.discovery import instance_faults
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parent.parent.parent / "cluster.yaml"


@pytest.fixture
def config():
    return yaml.safe_load(CLUSTER.read_text())


@pytest.fixture
def workers(config):
    return {
        name: kind
        for name, kind in config["available_node_types"].items()
        if name != config["head_node_type"]
    }


def test_ray_accepts_the_file(config):
    validate_config(prepare_config(config))


def test_an_unknown_entry_is_refused_by_ray(config):
    config["idle_timeout"] = 5
    with pytest.raises(ValidationError):
        validate_config(prepare_config(config))


def test_compute_engine_knows_every_field_of_every_machine(config):
    found = {
        name: instance_faults(kind["node_config"]) for name, kind in config["available_node_types"].items()
    }
    assert not any(found.values()), found


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"machinType": "c3-standard-16"}, "node_config.machinType"),
        ({"scheduling": [{"preemptible": True}]}, "node_config.scheduling"),
        ({"scheduling": {"provisioningModel": "SPOTTY"}}, "node_config.scheduling.provisioningModel"),
        ({"disks": [{"boot": "yes"}]}, "node_config.disks[0].boot"),
        ({"disks": [{"initializeParams": {"sizeGb": 50}}]}, "node_config.disks[0].initializeParams.sizeGb"),
    ],
)
def test_a_wrong_machine_is_noticed_at_any_depth(config, change, place):
    wrong = copy.deepcopy(config["available_node_types"]["cpu-spot"]["node_config"]) | change
    assert [fault.split(": ")[0] for fault in instance_faults(wrong)] == [place]


def test_spot_machines_vanish_when_they_are_taken_away(config):
    scheduling = config["available_node_types"]["cpu-spot"]["node_config"]["scheduling"]
    assert scheduling["provisioningModel"] == "SPOT"
    assert scheduling["instanceTerminationAction"] == "DELETE"


def test_no_worker_is_kept_when_there_is_nothing_to_do(workers):
    assert {kind["min_workers"] for kind in workers.values()} == {0}


def test_spot_and_on_demand_machines_offer_the_same_so_that_one_can_stand_in_for_the_other(workers):
    assert workers["cpu"]["resources"] == workers["cpu-spot"]["resources"]
    assert workers["cpu-spot"]["priority"] > workers["cpu"].get("priority", 0)


def test_every_worker_offers_the_single_lane_and_has_an_identity_of_its_own(workers):
    for kind in workers.values():
        assert kind["resources"]["single"] > 0
        assert kind["node_config"]["serviceAccounts"][0]["email"].startswith("halorow-worker@")


def test_the_head_has_an_account_of_its_own_and_an_address_that_stays(config):
    head = config["available_node_types"]["head"]["node_config"]
    assert head["serviceAccounts"][0]["email"].startswith("halorow-head@")
    assert head["networkInterfaces"][0]["networkIP"]


def test_no_machine_has_an_external_address(config):
    interfaces = [
        interface
        for kind in config["available_node_types"].values()
        for interface in kind["node_config"]["networkInterfaces"]
    ]
    assert interfaces
    assert not any("accessConfigs" in interface for interface in interfaces)
    assert config["provider"]["use_internal_ips"]
    assert config["auth"]["ssh_proxy_use_node_id"]


def test_nothing_is_installed_inside_the_container(config):
    assert [config[key] for key in ("setup_commands", "head_setup_commands", "worker_setup_commands")] == [
        [],
        [],
        [],
    ]


def test_ray_asks_for_its_token_on_every_machine(config):
    assert "-e RAY_AUTH_MODE=token" in config["docker"]["run_options"]
    assert "~/.ray/auth_token" in config["file_mounts"]


def test_the_head_starts_the_service_once_ray_is_up(config):
    assert config["head_start_ray_commands"][-1].endswith(" -m pipeline.cluster.scheduler")
    assert "ray start --head" in config["head_start_ray_commands"][-2]


def test_the_queue_may_ask_for_as_many_machines_as_there_may_be_of_the_size_that_they_have():
    config = yaml.safe_load(CLUSTER.read_text())
    started = config["head_start_ray_commands"][-1]
    cores = config["available_node_types"]["cpu-spot"]["resources"]["CPU"]
    assert f"HALOROW_NODES_MAX={config['max_workers']} HALOROW_NODE_CORES={cores} " in started


def test_every_worker_watches_for_its_end_once_ray_is_up():
    *_, started, watched = yaml.safe_load(CLUSTER.read_text())["worker_start_ray_commands"]
    assert "ray start --address=$RAY_HEAD_IP:6379 " in started
    assert "HALOROW_RAY_ADDRESS=$RAY_HEAD_IP:6379 " in watched
    assert watched.endswith("&")
    assert " -m pipeline.cluster.preemption " in watched


def test_every_value_to_set_stands_in_one_place_and_nowhere_else():
    before, block, after = re.split("# ▼.*|# ▲", CLUSTER.read_text())
    place = yaml.safe_load(block)
    values = [place["project_id"], place["region"], *map(str, place["values"].values())]
    assert not [value for value in values if value in before + after]


def test_no_secret_stands_in_the_file():
    text = CLUSTER.read_text()
    assert "PRIVATE KEY" not in text
    assert not re.search(r"redis://:[^$]", text)
    for line in text.splitlines():
        assert not re.search(r"(?i)password\s*[=:]\s*[^\"$\s]", line), line
