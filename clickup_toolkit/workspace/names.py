"""The tables by name, for editors and type checkers: each is an attribute of a workspace."""

from __future__ import annotations

import pandas as pd

__all__ = ["TableNames"]


class TableNames:
    """The tables of :data:`clickup_toolkit.records.TABLES`; ``time_in_status`` is a measure's name."""

    workspaces: pd.DataFrame
    spaces: pd.DataFrame
    folders: pd.DataFrame
    lists: pd.DataFrame
    statuses: pd.DataFrame
    members: pd.DataFrame
    tags: pd.DataFrame
    task_types: pd.DataFrame
    tasks: pd.DataFrame
    task_texts: pd.DataFrame
    task_assignees: pd.DataFrame
    task_watchers: pd.DataFrame
    task_tags: pd.DataFrame
    task_lists: pd.DataFrame
    task_links: pd.DataFrame
    custom_fields: pd.DataFrame
    task_custom_fields: pd.DataFrame
    time_entries: pd.DataFrame
    comments: pd.DataFrame
    checklists: pd.DataFrame
    checklist_items: pd.DataFrame
    attachments: pd.DataFrame
    goals: pd.DataFrame
    key_results: pd.DataFrame
    docs: pd.DataFrame
    doc_pages: pd.DataFrame
    readings: pd.DataFrame
    status_changes: pd.DataFrame
    deleted_tasks: pd.DataFrame
    missing_tasks: pd.DataFrame
    gaps: pd.DataFrame
    exports: pd.DataFrame
