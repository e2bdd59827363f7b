"""The JSON Schema (2020-12) of the document, for validators, generators of code, and OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable

from clickup_toolkit.serve import document_fields as fields
from clickup_toolkit.serve.document_fields import Field, Schema

__all__ = ["document_schema"]


def document_schema() -> Schema:
    """Return the schema: what the toolkit writes is exact, what ClickUp sends may hold any other keys."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "JSON export of a ClickUp workspace",
        **_object(fields.DOCUMENT, fields.OPTIONAL),
        "$defs": {
            "AsOf": _object(fields.AS_OF, fields.OPTIONAL_AS_OF),
            "Task": _task(),
            "Analytics": fields.analytics(),
        },
    }


def _task() -> Schema:
    """Return the schema of a task: ClickUp's keys, of which only the id is sure, and ours."""
    told = {field.name: _described(field) for field in (*fields.TASK, *fields.OPTIONAL_OF_TASKS)}
    return {
        "type": "object",
        "properties": {"id": {"type": "string", "description": "ClickUp's id of the task"}, **told},
        "required": ["id", *(field.name for field in fields.TASK)],
        "additionalProperties": True,
    }


def _object(always: Iterable[Field], sometimes: Iterable[Field]) -> Schema:
    properties = {field.name: _described(field) for field in (*always, *sometimes)}
    return fields.strict(properties, optional=[field.name for field in sometimes])


def _described(field: Field) -> Schema:
    return {"description": field.meaning, **field.schema} if field.meaning else field.schema
