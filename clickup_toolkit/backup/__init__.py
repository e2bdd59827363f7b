"""Backups: a data folder and its published versions in one file, and back from it.

==============  ==========================================================================
``archive``     the file: parts with their hashes, and what may be one
``pieces``      the chunks of versions in it, proved to be what versions name
``published``   versions on their way into it
``databases``   copies of databases that may be written to
``taking``      a backup, beside whatever runs
``restoring``   and back, all or nothing
==============  ==========================================================================
"""

from clickup_toolkit.backup.restoring import Restored, restore
from clickup_toolkit.backup.taking import Taken, take

__all__ = ["Restored", "Taken", "restore", "take"]
