"""What the site counts for Prometheus: the latest version, the last run, the requests it served.

No label holds what somebody typed or called something: routes are the declared ones, outcomes a fixed few.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from clickup_toolkit.serve.asgi import Message, Receive, Scope, Send, send_answer
from clickup_toolkit.serve.facts import LastExport
from clickup_toolkit.serve.health import Health, Latest
from clickup_toolkit.serve.switch import Switch
from clickup_toolkit.store import RunRecord, read_records

__all__ = ["Metrics"]

_OUTCOMES = ("complete", "gaps", "failed", "stopped")
_RUNS = 100  # as many as are kept
_METHODS = frozenset({"GET", "HEAD", "POST"})


class Metrics:
    """Counts answers, and answers ``/metrics``."""

    def __init__(self, data_dir: Path, health: Health, switch: Switch) -> None:
        self._runs = data_dir / "runs"
        self._switch = switch
        self._health = health
        self._registry = CollectorRegistry()
        self._served = Counter(
            "clickup_served_requests",
            "Requests answered, by route, method and status",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._bytes = Counter(
            "clickup_served_bytes",
            "Bytes of bodies sent, by route",
            ["route"],
            registry=self._registry,
        )

    def counting(self, route: str, scope: Scope, send: Send) -> Send:
        """Return ``send`` that counts the answer to one request."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        sent = self._bytes.labels(route)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._served.labels(route, method, str(message["status"])).inc()
            elif body := message.get("body"):
                sent.inc(len(body))
            await send(message)

        return send_counted

    async def show(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send everything in Prometheus' text format."""
        latest = await self._health.latest()
        records = await asyncio.to_thread(read_records, self._runs, _RUNS)
        async with self._switch.site() as site:
            last = _of_last(records, site.facts.export)
        shown = CollectorRegistry()
        shown.register(_Gauges([*_of_version(latest), *_of_runs(records), *last]))
        body = generate_latest(shown) + generate_latest(self._registry)
        headers = {"content-type": CONTENT_TYPE_PLAIN_0_0_4, "cache-control": "no-store"}
        await send_answer(scope, send, 200, headers, body)


class _Gauges:
    """Figures as they are at one moment."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


def _of_version(latest: Latest) -> Iterator[Metric]:
    yield _gauge("clickup_redis_up", "1 when the versions in Redis can be read", int(latest.error is None))
    if (stored := latest.stored) is None:
        return
    age = max(0.0, (datetime.now(UTC) - stored.updated_at).total_seconds())  # a clock may be set back
    yield _gauge("clickup_version_age_seconds", "Age of the latest version", age)
    yield _gauge("clickup_version_tasks", "Tasks in the latest version", stored.tasks)
    yield _gauge("clickup_version_text_bytes", "Its JSON document, unpacked", stored.text_bytes)
    yield _gauge("clickup_version_gzip_bytes", "Its JSON document, as it is sent", stored.gzip_bytes)
    yield _gauge("clickup_version_complete", "1 when it has no gaps", int(stored.complete))
    about = "1 when it is an older one, in the place of the latest, which is damaged"
    yield _gauge("clickup_version_stands_in", about, int(stored.instead_of is not None))


def _of_runs(records: list[RunRecord]) -> Iterator[Metric]:
    """Yield how many of the runs that are kept had which outcome."""
    runs = GaugeMetricFamily("clickup_runs", "Runs among those kept, by outcome", labels=["outcome"])
    for outcome in _OUTCOMES:
        runs.add_metric([outcome], sum(record.outcome == outcome for record in records))
    yield runs


def _of_last(records: list[RunRecord], export: LastExport | None) -> Iterator[Metric]:
    """Yield the figures of the last run, under its outcome; without a record, those of the last export."""
    record = records[0] if records else None
    if record is not None and (export is None or record.version >= export.version or not record.version):
        outcome = record.outcome if record.outcome in _OUTCOMES else "other"
        figures = _figures(record, record.finished / 1000)
    elif export is not None:
        outcome = "complete" if export.complete else "gaps"
        figures = _figures(export, export.at.timestamp())
    else:
        return
    for name, about, value in figures:
        last = GaugeMetricFamily(f"clickup_last_run_{name}", about, labels=["outcome"])
        last.add_metric([outcome], value)
        yield last


def _figures(run: RunRecord | LastExport, finished: float) -> list[tuple[str, str, float]]:
    return [
        ("finished_timestamp_seconds", "When the last run ended, in seconds since 1970 UTC", finished),
        ("duration_seconds", "How long it took", run.seconds),
        ("requests", "Requests that it sent to ClickUp", run.requests),
        ("throttled", "429 answers that it met", run.throttled),
        ("retries", "Requests that it sent again", run.retries),
        ("gaps", "What it could not read", run.gaps),
        ("tasks", "Tasks that it exported", run.tasks),
    ]


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)
