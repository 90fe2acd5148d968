"""A job that was, taken over into the page to be run again with changes."""

import json

from pipeline.browse import Found
from ui import images, service, state, words
from ui.builder import Pipeline


def take_over(job_id: str) -> str:
    """Have the builder show a job's pipeline, and its image be picked; return what to tell.

    Raises JobNotFoundError, StoreError.
    """
    client = service.client()
    manifest = client.manifest(job_id)
    state.keep(Pipeline().rewritten(json.dumps(manifest.steps)))
    images.pick([Found(client.input_uri(job_id), manifest.input_name, manifest.input.size_bytes)])
    return f"{words.plain(manifest.input_name)} and its pipeline are here to be changed. Then press Run."
