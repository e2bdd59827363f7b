"""Where the data rests: the journal of a crawl, and the database that is built from it.

==============  ==========================================================================
``journal``     every answered page, in order of arrival
``resuming``    the journal of an interrupted crawl, or a new one
``build``       the next database from a journal, whole or not at all
``gather``      journal to raw JSON: of every object the latest
``carry``       what could not be read this time, as earlier exports held it
``derive``      raw JSON to rows
``extras``      the optional streams: comments, task details, goals, docs
``history``     status changes seen, deleted tasks, exports
``formats``     the numbered formats of the database
``migrating``   from an earlier format to this release's
``files``       which database is current, and the flip to the next
``document``    the JSON document of a database
``plan``        what the next crawl has to read
``writes``      which tables a build writes: the files of others stay
``guard``       one export at a time in a folder
``live``        what the export under way is doing, or was when it failed, for other processes
``runs``        what came of each run, beside its notebook where it had one
==============  ==========================================================================
"""

from clickup_toolkit.normalise.enrich import ANALYTICS
from clickup_toolkit.store.build import build_database, finish, give_memory_back
from clickup_toolkit.store.document import document_head, document_tasks, gaps
from clickup_toolkit.store.files import current, flip
from clickup_toolkit.store.formats import FORMAT, format_of, known_format
from clickup_toolkit.store.guard import hold, holder, is_held, lock_folder
from clickup_toolkit.store.journal import Journal
from clickup_toolkit.store.live import Live, LiveRun, Traffic, left, live
from clickup_toolkit.store.migrating import migrated
from clickup_toolkit.store.plan import changes_since, next_version
from clickup_toolkit.store.resuming import open_journal
from clickup_toolkit.store.runs import RunRecord, next_run, read_record, read_records, write_record

__all__ = [
    "ANALYTICS",
    "FORMAT",
    "Journal",
    "Live",
    "LiveRun",
    "RunRecord",
    "Traffic",
    "build_database",
    "changes_since",
    "current",
    "document_head",
    "document_tasks",
    "finish",
    "flip",
    "format_of",
    "gaps",
    "give_memory_back",
    "hold",
    "holder",
    "is_held",
    "known_format",
    "left",
    "live",
    "lock_folder",
    "migrated",
    "next_run",
    "next_version",
    "open_journal",
    "read_record",
    "read_records",
    "write_record",
]
