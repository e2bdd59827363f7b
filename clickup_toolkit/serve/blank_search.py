"""A search field that was left empty asks for nothing; datasette would look for nothing, and find it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from clickup_toolkit.serve.asgi import App, Receive, Scope, Send

__all__ = ["without_blank_search"]


def without_blank_search(app: App) -> App:
    """Return the app, told nothing of ``_search`` where that is empty."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"")
        if b"_search=" in query:
            told = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            left = [(name, value) for name, value in told if name != "_search" or value.strip()]
            if left != told:
                scope = {**scope, "query_string": urlencode(left).encode("latin-1")}
        await app(scope, receive, send)

    return answer
