"""The exception tree: what can go wrong, and what its reader can do.

Every error says what happened, to what, and what to do next. The type alone decides two things: whether
asking again makes sense (``retryable``) and what the command line exits with (``exit_code``).

::

    ToolkitError                    1
    ├── SettingsError               2   a setting is missing or wrong
    ├── ClickUpError                1   the API, or the way to it
    │   ├── TokenRejected           1   the whole token is refused
    │   ├── WorkspaceUnavailable    2   the token does not reach the workspace
    │   ├── Refused                 1   one thing is refused for good: becomes a gap
    │   └── Unanswered              1   retryable: may be different next time
    │       ├── ApiUnreachable          no connection, reset, timeout
    │       ├── RateLimited             429
    │       ├── ServerFault             5xx
    │       └── BrokenAnswer            not JSON, cut off, an error inside a 200
    ├── StorageError                1   the data folder: disk full, not writable, damaged
    │   └── JournalDamaged      1   the journal of an interrupted crawl; without it, a crawl begins anew
    ├── RedisError                  1   the server of versions
    │   ├── RedisUnreachable        1
    │   ├── RedisFull               1   no room for another version
    │   └── VersionDamaged          1   a stored version does not match its hash
    ├── ExportRunning               4   another export holds the lock
    │   └── SchedulerRunning        4   another scheduler holds the data folder
    ├── LockLost                    1   the export lost its lock and must not publish
    ├── UnknownName                 1   a name that nothing bears; a ValueError, too
    └── NotebookFailed              1   papermill stopped at a failing cell
"""

from __future__ import annotations

__all__ = [
    "ApiUnreachable",
    "BrokenAnswer",
    "ClickUpError",
    "ExportRunning",
    "JournalDamaged",
    "LockLost",
    "NotebookFailed",
    "RateLimited",
    "RedisError",
    "RedisFull",
    "RedisUnreachable",
    "Refused",
    "SchedulerRunning",
    "ServerFault",
    "SettingsError",
    "StorageError",
    "TokenRejected",
    "ToolkitError",
    "Unanswered",
    "UnknownName",
    "VersionDamaged",
    "WorkspaceUnavailable",
]


class ToolkitError(Exception):
    """Anything this toolkit reports: ``message`` says what happened, ``remedy`` what to do next."""

    exit_code = 1
    retryable = False

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook, where IPython would show a page of traceback."""
        return [f"{type(self).__name__}: {self}"]


class SettingsError(ToolkitError):
    """One or more settings are missing or wrong; the message names them all."""

    exit_code = 2


class ClickUpError(ToolkitError):
    """The API refused, failed or could not be reached.

    ``status`` is the HTTP status (0 where there was none), ``code`` ClickUp's ``ECODE`` or our own word.
    """

    def __init__(self, message: str, remedy: str = "", *, status: int = 0, code: str = "") -> None:
        super().__init__(message, remedy)
        self.status = status
        self.code = code or (f"HTTP_{status}" if status else type(self).__name__)


class TokenRejected(ClickUpError):
    """ClickUp does not know the token; nothing can be read."""


class WorkspaceUnavailable(ClickUpError):
    """The token is good but does not reach the workspace that the settings name."""

    exit_code = 2


class Refused(ClickUpError):
    """One thing is refused for good; asking again changes nothing. The crawl records a gap and goes on."""


class Unanswered(ClickUpError):
    """No usable answer this time; asking again may bring one."""

    retryable = True


class ApiUnreachable(Unanswered):
    """No connection, a reset one, or a timeout."""


class RateLimited(Unanswered):
    """429: the window of the rate limit is spent."""


class ServerFault(Unanswered):
    """A 5xx answer."""


class BrokenAnswer(Unanswered):
    """A 200 that is not what it should be: cut off, not JSON, or an error in disguise."""


class StorageError(ToolkitError):
    """The data folder: no space left, not writable, or a file that is damaged."""


class JournalDamaged(StorageError):
    """What stands in the journal's file is not what was written there."""


class RedisError(ToolkitError):
    """The server that keeps the versions."""


class RedisUnreachable(RedisError):
    """No connection to Redis, or the embedded server does not start."""


class RedisFull(RedisError):
    """The server has no room left, within the memory that it may use."""


class VersionDamaged(RedisError):
    """A stored version is incomplete or does not match its hashes; it is never served."""


class ExportRunning(ToolkitError):
    """Another export of the same workspace holds the lock."""

    exit_code = 4


class SchedulerRunning(ExportRunning):
    """Another scheduler works in the same data folder."""


class LockLost(ToolkitError):
    """This export no longer holds its lock, so it must not publish over a newer one."""


class UnknownName(ToolkitError, ValueError):
    """A question names something that is not there; the message names the choice."""


class NotebookFailed(ToolkitError):
    """A scheduled notebook stopped at a failing cell; the executed notebook shows where.

    ``cause`` is the type of the designed error behind it, where there was one; ``stopped`` says that
    somebody ended the run, which will be taken up again.
    """

    cause: type[ToolkitError] | None = None
    stopped = False
