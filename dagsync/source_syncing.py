"""Makes the DAG folder match the packages a source has published."""

from pathlib import Path

from dagsync.cache import Cache
from dagsync.errors import DagsyncError
from dagsync.fetching import fetch
from dagsync.holding import held
from dagsync.outcome import Report, SyncOptions
from dagsync.store import Source
from dagsync.syncing import sync


def sync_source(source: Source, cache: Cache, options: SyncOptions) -> tuple[Report, Path, DagsyncError | None]:
    """Fetch the current version and make the DAG folder match it; ``options.packages_root`` is not looked at.

    Returns the report, the folder of the version it is about, and why a newer one could not be had, if so. If the fetch fails,
    the version at hand is synced all the same, as a DAG folder on a new volume may be empty. Raises what ``fetch`` does if
    there is none, and what ``sync`` does.
    """
    failure = None
    try:
        fetch(source, cache)
    except DagsyncError as error:
        if cache.current() is None:
            raise
        failure = error
    with held(cache.link) as root:
        # Who publishes decides what is gone; nobody is at hand in a pod to allow it.
        report = sync(options._replace(packages_root=root, allow_mass_removal=True))
    return report, root, failure
