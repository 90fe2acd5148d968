"""What the list of jobs on a drawn page is told."""

import json


def jobs_data(page):
    """Return what the list of jobs is told."""
    (drawn,) = (one for one in page.get("bidi_component") if one.proto.component_name == "halorow_jobs_list")
    return json.loads(drawn.proto.mixed.json if drawn.proto.HasField("mixed") else drawn.proto.json)
