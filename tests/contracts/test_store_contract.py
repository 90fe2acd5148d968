"""What every object store promises, whatever it keeps its objects in."""

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit, urlunsplit

import pytest
from fakes.gcs.fixture import BUCKET
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_harness import BASE_URL, SECRET, StoreHarness, fake_harness, route_harness

from pipeline.errors import KeyRefusedError, LinkError, ObjectExistsError, ObjectNotFoundError, StoreError
from pipeline.ports import ObjectStore
from pipeline.stores.keys import MAX_KEY_BYTES, MAX_SEGMENT_BYTES
from pipeline.stores.local import LocalStore
from pipeline.stores.memory import MemoryStore

WRITERS = 16
LARGE_BYTES = 20 << 20

REFUSED_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../up",
    "a/../../up",
    "a/..",
    ".",
    "a/./b",
    "a//b",
    "a/",
    "a\\b",
    "a\nb",
    "a\x00b",
    "a\x7fb",
    "a\u2028b",
    "a\ud800b",
    "s" * (MAX_SEGMENT_BYTES + 1),
    "/".join(["k" * 200] * (MAX_KEY_BYTES // 200 + 1)),
]


@pytest.fixture(params=["local", "memory", "gcs"])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreHarness]:
    if request.param == "local":
        yield route_harness("local", LocalStore(tmp_path / "store", SECRET, BASE_URL, durable=False))
    elif request.param == "memory":
        yield route_harness("memory", MemoryStore(SECRET, "contract"))
    else:
        from pipeline.stores.gcs import GcsStore  # noqa: PLC0415 as the registry does

        fake = request.getfixturevalue("fake_gcs")
        client = request.getfixturevalue("gcs_client")
        yield fake_harness(GcsStore(BUCKET, "some/prefix", client=client, endpoint=fake.address), fake)


@pytest.fixture
def store(harness: StoreHarness) -> ObjectStore:
    return harness.store


def test_what_was_put_is_read_back(store: ObjectStore) -> None:
    info = store.put_bytes("jobs/1/job.json", b'{"a": 1}')

    assert store.get_bytes("jobs/1/job.json") == b'{"a": 1}'
    assert (info.key, info.size_bytes) == ("jobs/1/job.json", 8)
    assert store.stat("jobs/1/job.json") == info


def test_an_empty_object_is_an_object(store: ObjectStore, tmp_path: Path) -> None:
    store.put_bytes("empty", b"", create_only=True)
    store.fetch("empty", tmp_path / "out")

    assert store.get_bytes("empty") == b""
    assert (tmp_path / "out").read_bytes() == b""


def test_all_byte_values_and_line_ends_survive(store: ObjectStore) -> None:
    data = bytes(range(256)) + b"\r\n--boundary\r\n\n\r" * 3

    store.put_bytes("bytes", data)

    assert store.get_bytes("bytes") == data


def test_create_only_refuses_an_object_that_is_there(store: ObjectStore) -> None:
    store.put_bytes("once", b"first", create_only=True)

    with pytest.raises(ObjectExistsError):
        store.put_bytes("once", b"second", create_only=True)
    assert store.get_bytes("once") == b"first"


def test_create_only_of_a_file_refuses_an_object_that_is_there(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"second")
    store.put_bytes("once", b"first")

    with pytest.raises(ObjectExistsError):
        store.put_file("once", source, create_only=True)
    assert store.get_bytes("once") == b"first"
    assert source.exists()


def test_exactly_one_of_many_create_only_writers_wins(store: ObjectStore) -> None:
    start = Barrier(WRITERS)

    def write(number: int) -> bool:
        start.wait()
        try:
            store.put_bytes("deep/er/contested", str(number).encode(), create_only=True)
        except ObjectExistsError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(write, range(WRITERS)))

    assert won.count(True) == 1
    assert store.get_bytes("deep/er/contested") == str(won.index(True)).encode()


def test_create_only_works_again_after_a_deletion(store: ObjectStore) -> None:
    store.put_bytes("folder/again", b"1", create_only=True)
    store.delete("folder/again")

    store.put_bytes("folder/again", b"2", create_only=True)

    assert store.get_bytes("folder/again") == b"2"


def test_overwriting_gives_another_generation(store: ObjectStore) -> None:
    generations = {store.put_bytes("key", b"same bytes").generation for _ in range(20)}

    assert len(generations) == 20


def test_a_missing_object_is_told(store: ObjectStore, tmp_path: Path) -> None:
    assert store.stat("nothing/here") is None
    assert store.local_path("nothing/here") is None
    with pytest.raises(ObjectNotFoundError):
        store.get_bytes("nothing/here")
    with pytest.raises(ObjectNotFoundError):
        store.fetch("nothing/here", tmp_path / "out")
    assert list(tmp_path.glob("*out*")) == []


def test_the_listing_is_in_the_order_of_the_keys(store: ObjectStore) -> None:
    keys = ["a-b", "a/b", "a/c/d", "a0", "b", "a/B", "ä", "a/c-d", "z/\U0001f5bc", "z/\uff5e"]
    for key in keys:
        store.put_bytes(key, key.encode())

    listed = list(store.list(""))

    assert [info.key for info in listed] == sorted(keys)
    assert listed == [store.stat(key) for key in sorted(keys)]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("jobs/", ["jobs/1/job.json", "jobs/10/job.json", "jobs/2/job.json"]),
        ("jobs/1", ["jobs/1/job.json", "jobs/10/job.json"]),
        ("jobs/1/", ["jobs/1/job.json"]),
        ("jobs/1/job.json", ["jobs/1/job.json"]),
        ("job", ["jobs/1/job.json", "jobs/10/job.json", "jobs/2/job.json"]),
        ("jobs/1/job.json/", []),
        ("nothing/", []),
    ],
)
def test_a_prefix_may_end_anywhere(store: ObjectStore, prefix: str, expected: list[str]) -> None:
    for key in ("jobs/1/job.json", "jobs/2/job.json", "jobs/10/job.json", "inputs/1"):
        store.put_bytes(key, b"")

    assert [info.key for info in store.list(prefix)] == expected


@pytest.mark.parametrize("prefix", ["../", "/", "a//", "a\\", "a/../b"])
def test_a_prefix_that_leads_out_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(KeyRefusedError):
        list(store.list(prefix))


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put_bytes("folder/gone", b"")

    store.delete("folder/gone")
    store.delete("folder/gone")
    store.delete("never/was")

    assert store.stat("folder/gone") is None
    assert list(store.list("")) == []


def test_fetch_gives_the_generation_that_was_asked_for(store: ObjectStore, tmp_path: Path) -> None:
    info = store.put_bytes("key", b"bytes")

    store.fetch("key", tmp_path / "out", generation=info.generation)

    assert (tmp_path / "out").read_bytes() == b"bytes"


def test_fetch_refuses_an_object_that_was_replaced(store: ObjectStore, tmp_path: Path) -> None:
    old = store.put_bytes("key", b"older")
    store.put_bytes("key", b"newer")

    with pytest.raises(ObjectNotFoundError):
        store.fetch("key", tmp_path / "out", generation=old.generation)
    assert not (tmp_path / "out").exists()


def test_fetch_replaces_a_file_that_is_there(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"older and longer")
    store.put_bytes("key", b"newer")

    store.fetch("key", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"newer"


@pytest.mark.parametrize("key", REFUSED_KEYS)
def test_a_key_that_leads_out_is_refused_everywhere(store: ObjectStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "source").write_bytes(b"")
    tries = [
        lambda: store.put_bytes(key, b""),
        lambda: store.put_file(key, tmp_path / "source"),
        lambda: store.get_bytes(key),
        lambda: store.fetch(key, tmp_path / "out"),
        lambda: store.local_path(key),
        lambda: store.stat(key),
        lambda: store.delete(key),
        lambda: store.sign(key),
        lambda: store.uri(key),
    ]
    for attempt in tries:
        with pytest.raises(KeyRefusedError):
            attempt()


@pytest.mark.parametrize("key", ["a", "a b/c+d%2F..%2e", "ü/猫 ?#&=.tif", "...", ".hidden/~x", "a'\"<>|*:"])
def test_a_key_survives_its_uri_and_its_link(harness: StoreHarness, key: str) -> None:
    harness.store.put_bytes(key, key.encode())

    assert harness.store.key_of(harness.store.uri(key)) == key
    assert harness.follow(harness.store.sign(key), "GET") == key.encode()
    assert [info.key for info in harness.store.list("")] == [key]


@pytest.mark.parametrize(
    "uri",
    [
        "gs://another/key",
        "file:///etc/passwd",
        "memory://another/key",
        "http://localhost/key",
        "key",
        "",
        "/etc",
    ],
)
def test_the_uri_of_another_store_is_refused(store: ObjectStore, uri: str) -> None:
    with pytest.raises(KeyRefusedError):
        store.key_of(uri)


@pytest.mark.parametrize("tail", ["../x", "..%2fx", "%2e%2e/x", "/x", "a/../../x", "%00"])
def test_a_uri_that_leads_out_of_the_store_stays_inside(store: ObjectStore, tail: str) -> None:
    uri = store.uri("x").removesuffix("x") + tail
    try:
        key = store.key_of(uri)
    except KeyRefusedError:
        return
    # Where URIs are not percent-encoded, the percent sign is a character of the key.
    assert key == tail
    assert "%" in key


def test_a_large_file_passes_through_with_little_memory(store: ObjectStore, tmp_path: Path) -> None:
    if isinstance(store, MemoryStore):
        pytest.skip("holds its objects in memory by design")
    source, target = tmp_path / "source", tmp_path / "target"
    pattern = bytes(range(251))
    source.write_bytes((pattern * (LARGE_BYTES // len(pattern) + 1))[:LARGE_BYTES])

    tracemalloc.start()
    info = store.put_file("large", source)
    store.fetch("large", target)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert info.size_bytes == LARGE_BYTES
    assert target.read_bytes() == source.read_bytes()
    if isinstance(store, LocalStore):
        assert peak < 1 << 20


def test_a_source_file_that_is_missing_is_told(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        store.put_file("key", tmp_path / "nowhere")


def test_a_link_is_refused_once_it_has_expired(harness: StoreHarness) -> None:
    harness.store.put_bytes("key", b"bytes")
    link = harness.store.sign("key", life_s=60)
    assert harness.follow(link, "GET") == b"bytes"

    harness.advance(61)

    with pytest.raises(LinkError):
        harness.follow(link, "GET")


def test_a_link_is_refused_for_another_method(harness: StoreHarness) -> None:
    harness.store.put_bytes("key", b"bytes")

    with pytest.raises(LinkError):
        harness.follow(harness.store.sign("key", method="GET"), "PUT")
    with pytest.raises(LinkError):
        harness.follow(harness.store.sign("key", method="PUT"), "GET")
    assert harness.store.get_bytes("key") == b"bytes"


def test_a_link_is_refused_for_another_object(harness: StoreHarness) -> None:
    harness.store.put_bytes("mine", b"")
    harness.store.put_bytes("yours", b"")
    parts = urlsplit(harness.store.sign("mine"))

    with pytest.raises(LinkError):
        harness.follow(urlunsplit(parts._replace(path=parts.path.replace("mine", "yours"))), "GET")


def test_a_link_is_refused_once_any_of_its_parts_is_altered(harness: StoreHarness) -> None:
    harness.store.put_bytes("key", b"")
    parts = urlsplit(harness.store.sign("key", life_s=60, filename="a.tif"))
    fields = parts.query.split("&")

    for index, altered in enumerate(fields):
        changed = [*fields[:index], altered + "0", *fields[index + 1 :]]
        with pytest.raises(LinkError):
            harness.follow(urlunsplit(parts._replace(query="&".join(changed))), "GET")


def test_a_link_for_put_is_accepted_for_put(harness: StoreHarness) -> None:
    harness.follow(harness.store.sign("new", method="PUT"), "PUT")


@pytest.mark.parametrize(
    "asked", [{"method": "DELETE"}, {"life_s": 0}, {"life_s": 8 * 24 * 3600}, {"filename": "a\r\nb"}]
)
def test_a_link_that_cannot_be_is_refused(store: ObjectStore, asked: dict[str, object]) -> None:
    with pytest.raises(LinkError):
        store.sign("key", **asked)  # type: ignore[arg-type]  # of any type on purpose


def test_no_secret_is_shown(store: ObjectStore) -> None:
    assert SECRET.decode() not in repr(store)
    assert "PRIVATE" not in repr(store)


characters = st.sampled_from("ab.- ü%")
segments = st.text(characters, min_size=1, max_size=3).filter(lambda text: text not in {".", ".."})
keys = st.lists(segments, min_size=1, max_size=3).map("/".join)
trees = st.dictionaries(keys, st.binary(max_size=8), max_size=8)
prefixes = st.text(st.one_of(characters, st.just("/")), max_size=4)


# The store is emptied after each case; and how fast a busy machine draws cases is no matter.
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize("harness", ["local", "memory"], indirect=True)
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(tree=trees, prefix=st.text(st.sampled_from("ab.-/ ü%"), max_size=4))
def test_listing_equals_sorting_and_filtering(
    store: ObjectStore, tree: dict[str, bytes], prefix: str
) -> None:
    kept = {}
    for key, data in tree.items():
        try:
            store.put_bytes(key, data, create_only=True)
        except KeyRefusedError:
            continue  # a folder cannot be an object on disk
        kept[key] = data
    try:
        listed = [info.key for info in store.list(prefix)]
    except KeyRefusedError:
        listed = [key for key in kept if key.startswith(prefix)]
        assert listed == []
    else:
        assert listed == sorted(key for key in kept if key.startswith(prefix))
    finally:
        for key in kept:
            store.delete(key)
    assert list(store.list("")) == []
