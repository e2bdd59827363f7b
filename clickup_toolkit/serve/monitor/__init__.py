"""The run monitor: the export under way, the runs before it, an export now, the versions in Redis.

Everything is read from what exports leave in the data folder and in Redis; only :mod:`.exporter` starts
anything.
"""

from __future__ import annotations

from clickup_toolkit.serve.monitor.exporter import Exporter
from clickup_toolkit.serve.redis_link import RedisLink
from clickup_toolkit.settings import Settings

__all__ = ["Monitor"]


class Monitor:
    """What the pages of all databases share: the way to Redis, and the exports that were asked for."""

    def __init__(self, settings: Settings, link: RedisLink) -> None:
        self.link = link
        self.exporter = Exporter(settings)
