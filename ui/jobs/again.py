"""A job that was, taken over into the page to be run again with changes."""

import json

from pipeline.desks.browse import Found
from ui import words
from ui.drafts import state
from ui.drafts.builder import Pipeline
from ui.images import chosen as images
from ui.service import connection as service


def take_over(job_id: str) -> str:
    """Have the builder show a job's pipeline, and its image be picked; return what to tell.

    Raises JobNotFoundError, StoreError.
    """
    client = service.client()
    manifest = client.manifest(job_id)
    state.workbench().keep(Pipeline().rewritten(json.dumps(manifest.steps)))
    images.pick([Found(client.input_uri(job_id), manifest.input_name, manifest.input.size_bytes)])
    return f"{words.plain(manifest.input_name)} and its pipeline are here to be changed. Then press Run."
