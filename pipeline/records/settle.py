"""Tell what became of a job, and take it off the list of unfinished ones."""

from pipeline.models import Claim, Ending, JobStatus, Manifest, Result
from pipeline.ports import BucketStore
from pipeline.records import statuses
from pipeline.records.commit import is_published_apart, publish
from pipeline.records.jobs import JobRecords
from pipeline.records.leftovers import clear_bands, clear_parts
from pipeline.records.news import News


def settle(
    records: JobRecords,
    news: News,
    manifest: Manifest,
    ending: Ending,
    *,
    claim: Claim | None = None,
    before: JobStatus | None = None,
) -> JobStatus:
    """Do all that follows from a durable ending; return the final status.

    ``claim`` is the holder's, who lets go of the job with it; ``before`` the status so far, asked of
    the board where it is not known. The marker of an unfinished job goes last. Whoever fails or dies
    before leaves it to reconciliation, which settles again: every part may be done twice.

    The caller may have been stopped since it learnt of the ending, for as long as it takes others to
    settle it and people to go on. So a result is not published again once the job is settled, and of
    an ending that a retry has taken back nothing follows. Raises QueueUnavailableError, StoreError.
    """
    if isinstance(ending, Result):
        if is_published_apart(manifest, ending) and records.is_open(manifest.id):
            publish(records.store, manifest, ending)
    elif (standing := records.ending(manifest.id)) is None:
        return before or statuses.ended(manifest, ending, news.board.get(manifest.id))
    elif isinstance(standing, Result):
        return settle(records, news, manifest, standing, claim=claim)
    else:
        if isinstance(records.store, BucketStore):
            clear_parts(records.store, manifest.id)
        clear_bands(records.store, manifest.id)  # before the news, at which a retry may begin
    status = statuses.ended(manifest, ending, before or news.board.get(manifest.id))
    records.mark_to_tell(manifest)  # before the news, at which the notifier looks for the mark
    if claim is None:
        news.tell(status)
    else:
        news.ended(status, claim)
    if isinstance(ending, Result) and ending.report.get("band_rows"):
        clear_bands(records.store, manifest.id)
    records.close(manifest.id)
    if not isinstance(ending, Result) and records.ending(manifest.id) is None:
        records.mark_open(manifest)
    return status
