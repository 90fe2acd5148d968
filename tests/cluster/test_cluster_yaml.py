"""``cluster.yaml`` is what Ray's launcher and Compute Engine take, checked without either of them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from googleapiclient import discovery_cache
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

CLUSTER = Path(__file__).parent.parent.parent / "cluster.yaml"
DISCOVERY = Path(discovery_cache.__file__).parent / "documents" / "compute.v1.json"
SCALARS = {"string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float)}


@pytest.fixture
def config():
    return yaml.safe_load(CLUSTER.read_text())


@pytest.fixture(scope="module")
def schemas():
    return json.loads(DISCOVERY.read_text())["schemas"]


def scalar_faults(value, schema, path) -> Iterator[str]:
    """Yield what is wrong with a value that is neither an object nor a list."""
    kinds = SCALARS[schema["type"]]
    if schema.get("format") in {"int64", "uint64"}:
        kinds = (str, int)  # JSON cannot hold them as numbers, the client library turns them
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {', '.join(schema['enum'])}"


def faults(value, schema, schemas, path) -> Iterator[str]:
    """Yield every place where a value is not what a discovery document's schema says, at any depth."""
    if "$ref" in schema:
        yield from faults(value, schemas[schema["$ref"]], schemas, path)
    elif schema["type"] == "array":
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
            return
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], schemas, f"{path}[{index}]")
    elif schema["type"] == "object":
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        for key, item in value.items():
            known = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if known is None:
                yield f"{path}.{key}: there is no such field"
            else:
                yield from faults(item, known, schemas, f"{path}.{key}")
    else:
        yield from scalar_faults(value, schema, path)


def instance_faults(node_config, schemas):
    """Return what Compute Engine would not take in a request for a machine."""
    return list(faults(node_config, {"$ref": "Instance"}, schemas, "node_config"))


def test_ray_accepts_the_file(config):
    validate_config(prepare_config(config))


def test_an_unknown_entry_is_refused_by_ray(config):
    config["idle_timeout"] = 5
    with pytest.raises(ValidationError):
        validate_config(prepare_config(config))


def test_compute_engine_knows_every_field_of_every_machine(config, schemas):
    found = {
        name: instance_faults(kind["node_config"], schemas)
        for name, kind in config["available_node_types"].items()
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
def test_a_wrong_machine_is_noticed_at_any_depth(config, schemas, change, place):
    wrong = copy.deepcopy(config["available_node_types"]["cpu-spot"]["node_config"]) | change
    assert [fault.split(": ")[0] for fault in instance_faults(wrong, schemas)] == [place]


def test_spot_machines_vanish_when_they_are_taken_away(config):
    scheduling = config["available_node_types"]["cpu-spot"]["node_config"]["scheduling"]
    assert scheduling["provisioningModel"] == "SPOT"
    assert scheduling["instanceTerminationAction"] == "DELETE"


def test_no_worker_is_kept_when_there_is_nothing_to_do(config):
    workers = {
        name: kind
        for name, kind in config["available_node_types"].items()
        if name != config["head_node_type"]
    }
    assert {kind["min_workers"] for kind in workers.values()} == {0}


def test_every_worker_offers_the_single_lane_and_has_an_identity_of_its_own(config):
    for name, kind in config["available_node_types"].items():
        if name != config["head_node_type"]:
            assert kind["resources"]["single"] > 0
            assert kind["node_config"]["serviceAccounts"][0]["email"].startswith("halorow-worker@")


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
    assert config["head_start_ray_commands"][-1].endswith(" -m pipeline.scheduler")
    assert "ray start --head" in config["head_start_ray_commands"][-2]


def test_every_value_to_set_is_marked_and_stands_once():
    lines = [line for line in CLUSTER.read_text().splitlines() if "your-project" in line]
    assert len(lines) == 4
    assert all("◄" in line for line in lines)
