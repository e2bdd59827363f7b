"""The floor of a crawl: a process that reads the same bytes with the same client library and decodes them.

It is given what an export asked, one address a line, and does nothing else: no pacing, no retries, no
journal, no rows. What an export costs beyond this is what it does with the answers.
"""

from __future__ import annotations

import asyncio
import os
import sys

import httpx
import msgspec
from isal import isal_zlib

_GZIP = 16 + 15


async def _read(base: str, token: str, addresses: list[str], workers: int) -> None:
    headers = {"Authorization": token, "Accept": "application/json", "Accept-Encoding": "gzip"}
    remaining = iter(addresses)

    async def work(client: httpx.AsyncClient) -> None:
        for address in remaining:
            async with client.stream("GET", base + address) as response:
                body = b"".join([part async for part in response.aiter_raw()])
            if response.headers.get("content-encoding") == "gzip":
                body = isal_zlib.decompress(body, wbits=_GZIP)
            msgspec.json.decode(body)

    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        await asyncio.gather(*(work(client) for _ in range(workers)))


if __name__ == "__main__":
    asyncio.run(
        _read(
            os.environ["CLICKUP_API_URL"],
            os.environ["CLICKUP_TOKEN"],
            sys.stdin.read().splitlines(),
            int(sys.argv[1]),
        )
    )
