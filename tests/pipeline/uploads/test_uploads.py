"""Uploads on a disk: what limits them, how they go on after a restart, and when they go."""

from datetime import timedelta

import pytest

from pipeline import layout
from pipeline.client import Client
from pipeline.config import Settings
from pipeline.decisions.people import Person
from pipeline.decisions.places import Places
from pipeline.decisions.retention import MARGIN_S, Retention
from pipeline.errors import InvalidJobError, KeyRefusedError, ObjectNotFoundError, ServiceError, StoreError
from pipeline.keeping.cleaner import ABANDONED_S, clean
from pipeline.memory.parts import memory_parts
from pipeline.models import now
from pipeline.records.uploads import UNFINISHED_S, Upload, begun
from pipeline.stores.local import LocalStore
from pipeline.stores.memory import MemoryStore
from pipeline.uploads.checksum import extended, spelled
from pipeline.uploads.staged_file import StagedFile

DATA = b"not really an image" * 1000
DAY_S = 86_400
KEPT = Retention(inputs_s=7 * DAY_S, bands_s=DAY_S, results_s=30 * DAY_S, records_s=90 * DAY_S)


def service(tmp_path, places=None, **settings):
    """Return the parts of a service without workers, and a client of it."""
    store = LocalStore(tmp_path / "store", b"of the tests", "http://localhost")
    parts = memory_parts(store, places=places or Places(), retention=KEPT)
    return parts, Client(parts, Settings.load(find_service=False, data_dir=tmp_path, **settings))


def send(uploads, name="cat.tif", data=DATA):
    """Upload all of a file; return the upload."""
    upload = uploads.begin(name, len(data))
    file = uploads.staged(upload)
    file.write(file.take_turn(0), data)
    uploads.finish(upload, spelled(extended(0, data)))
    return upload


def after(seconds):
    return now() + timedelta(seconds=seconds)


def test_a_file_larger_than_allowed_is_refused_before_a_byte_is_sent(tmp_path):
    _, client = service(tmp_path, upload_bytes="1MB")
    client.uploads().begin("cat.tif", 1_000_000)
    with pytest.raises(InvalidJobError, match="1000001 bytes, and an upload may have 1000000"):
        client.uploads().begin("cat.tif", 1_000_001)


def test_the_uploads_of_one_user_together_have_a_limit(tmp_path):
    _, client = service(tmp_path, user_upload_bytes=len(DATA) + 10)
    send(client.acting_for(Person("bob")).uploads())
    send(client.acting_for(Person("ann")).uploads())
    with pytest.raises(InvalidJobError, match="ann has 19000 bytes of uploads"):
        client.acting_for(Person("ann")).uploads().begin("dog.tif", 11)


def test_samples_count_among_the_uploads_of_their_user(tmp_path):
    _, client = service(tmp_path)
    size_bytes = client.uploads().sample().size_bytes
    _, limited = service(tmp_path / "limited", user_upload_bytes=size_bytes)
    limited.uploads().sample()
    with pytest.raises(InvalidJobError, match="user_upload_bytes"):
        limited.uploads().sample()


def test_the_address_that_a_browser_sends_to_is_shown_neither_by_an_upload_nor_by_an_error():
    store, upload_id = MemoryStore(b"of the tests"), layout.new_job_id(now())
    upload = Upload(id=upload_id, user="ann", name="cat.tif", size_bytes=1, session="https://bucket/secret")
    assert "secret" not in repr(upload)
    store.put_bytes(layout.upload_record_key(upload_id), b'{"session": ["https://bucket/secret"]}')
    with pytest.raises(ServiceError) as caught:
        begun(store, upload_id)
    assert "secret" not in str(caught.value)


def test_a_file_for_which_there_is_no_room_is_refused(tmp_path):
    _, client = service(tmp_path)
    with pytest.raises(StoreError, match="there is room for"):
        client.uploads().begin("cat.tif", 1 << 62)


def test_a_store_without_files_and_sessions_says_that_it_takes_no_uploads():
    store = MemoryStore(b"of the tests", "uploads")
    parts = memory_parts(store)
    with pytest.raises(StoreError, match="takes no uploads"):
        _ = parts.way


def test_an_upload_goes_on_after_the_page_was_restarted(tmp_path):
    _, client = service(tmp_path)
    upload = client.uploads().begin("cat.tif", len(DATA))
    file = client.uploads().staged(upload)
    file.write(file.take_turn(0), DATA[:7000])
    _, restarted = service(tmp_path)
    uploads = restarted.uploads()
    known = uploads.find(upload.id)
    assert uploads.progress(known).offset == 7000
    assert uploads.progress(known).crc32c == spelled(extended(0, DATA[:7000]))
    file = uploads.staged(known)
    file.write(file.take_turn(7000), DATA[7000:])
    uploads.finish(known, spelled(extended(0, DATA)))
    assert uploads.progress(known).finished


def test_an_end_that_was_interrupted_is_brought_to_its_end(tmp_path):
    parts, client = service(tmp_path)
    upload = send(client.uploads())
    parts.store.delete(layout.upload_finished_key(upload.id))
    _, restarted = service(tmp_path)
    assert restarted.uploads().progress(upload).offset == len(DATA)
    restarted.uploads().finish(upload, spelled(extended(0, DATA)))
    assert restarted.uploads().progress(upload).finished


def test_a_file_that_was_swept_meanwhile_begins_anew(tmp_path):
    file = StagedFile(tmp_path / "x.upload", 100)
    turn = file.take_turn(0)
    file.write(turn, b"a" * 50)
    file.path.unlink()
    assert file.state() == (0, spelled(0))


def test_an_upload_that_is_not_whole_is_no_input(tmp_path):
    parts, client = service(tmp_path)
    upload = client.uploads().begin("cat.tif", len(DATA))
    parts.store.put_bytes(upload.key, DATA)  # as a bucket has it before the checksums are compared
    with pytest.raises(ObjectNotFoundError, match="not uploaded to its end"):
        client.submit(parts.store.uri(upload.key), "invert")


def test_an_upload_is_the_input_of_its_users_jobs_alone(tmp_path):
    parts, client = service(
        tmp_path, Places(sources=("users/{user}/",), sinks=("users/{user}/",), private=True)
    )
    ann, eve = client.acting_for(Person("ann")), client.acting_for(Person("eve"))
    uri = parts.store.uri(send(ann.uploads()).key)
    with pytest.raises(KeyRefusedError):
        eve.submit(uri, "invert")
    job = ann.submit(uri, "invert")
    parts.places.check(client.manifest(job.id), parts.records.owner)  # as whoever works on it looks again


def test_the_same_upload_serves_many_jobs(tmp_path):
    parts, client = service(tmp_path)
    uri = parts.store.uri(send(client.uploads()).key)
    jobs = [client.submit(uri, "invert", input_name="cat.tif") for _ in range(3)]
    assert len({job.id for job in jobs}) == 3
    assert {job.pixels for job in jobs} == {len(DATA)}


def test_an_upload_lives_for_as_long_as_inputs_do_after_its_last_use(tmp_path):
    parts, client = service(tmp_path)
    upload = send(client.uploads())
    assert not clean(parts, KEPT, after(7 * DAY_S - 60))
    assert clean(parts, KEPT, after(7 * DAY_S + 60), dry_run=True)
    assert parts.store.stat(upload.key) is not None
    clean(parts, KEPT, after(7 * DAY_S + 60))
    assert not list(parts.store.list("uploads/"))


def test_an_upload_that_an_unfinished_job_needs_stays(tmp_path):
    parts, client = service(tmp_path)
    upload = send(client.uploads())
    client.submit(parts.store.uri(upload.key), "invert")
    assert not clean(parts, KEPT, after(20 * DAY_S))
    assert parts.store.stat(upload.key) is not None


def test_an_upload_that_is_about_to_go_is_lent_to_no_further_job(tmp_path, monkeypatch):
    parts, client = service(tmp_path)
    uri = parts.store.uri(send(client.uploads()).key)
    late = after(7 * DAY_S - MARGIN_S + 60)
    monkeypatch.setattr("pipeline.submitting.submission.now", lambda: late)
    with pytest.raises(ObjectNotFoundError, match="is being removed"):
        client.submit(uri, "invert")


def test_an_upload_that_never_came_to_its_end_expires(tmp_path):
    parts, client = service(tmp_path)
    upload = client.uploads().begin("cat.tif", len(DATA))
    file = client.uploads().staged(upload)
    file.write(file.take_turn(0), DATA[:7000])
    assert not parts.store.sweep_staging(ABANDONED_S)
    clean(parts, Retention(), after(UNFINISHED_S - 60))
    assert client.uploads().find(upload.id)
    clean(parts, Retention(), after(UNFINISHED_S + 60))
    with pytest.raises(ObjectNotFoundError, match="add the file again"):
        client.uploads().find(upload.id)
    assert parts.store.sweep_staging(-60) == 1


def test_the_images_below_a_place_are_listed_with_their_sizes_and_a_zarr_is_one(tmp_path):
    parts, client = service(tmp_path)
    for key in ("s/a.tif", "s/b.zarr/c/0/0", "s/b.zarr/zarr.json", "s/c.zarr/c/0", "s/d.txt", "s/e.PNG"):
        parts.store.put_bytes(key, b"12345")
    client.submit_bytes(b"x", "mine.tif", "invert")
    root = parts.store.uri("x").removesuffix("x")
    listing = client.images_below(f"{root}s/", [".tif", ".png"])
    assert [(one.name, one.size_bytes) for one in listing.found] == [
        ("a.tif", 5),
        ("b.zarr", 10),
        ("e.PNG", 5),
    ]
    everything = client.images_below(root, [".tif", ".png"])
    assert [one.uri.removeprefix(root) for one in everything.found] == ["s/a.tif", "s/b.zarr", "s/e.PNG"]


def test_places_that_inputs_may_not_lie_in_are_not_listed(tmp_path):
    places = Places(sources=("users/{user}/", "shared/"), sinks=("users/{user}/",), private=True)
    parts, client = service(tmp_path, places)
    parts.store.put_bytes("users/eve/a.tif", b"x")
    ann = client.acting_for(Person("ann"))
    root = parts.store.uri("x").removesuffix("x")
    assert ann.places() == [f"{root}users/ann/", f"{root}shared/"]
    for place in (f"{root}users/eve/", root, f"{root}uploads/", "gs://elsewhere/"):
        with pytest.raises(KeyRefusedError):
            ann.images_below(place, [".tif"])
