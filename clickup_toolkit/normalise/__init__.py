"""Raw JSON to rows: pure, without network, files or clock.

What cannot be understood becomes None and stays in the raw JSON; a whole object that cannot be understood
becomes a gap. Nothing in here raises because of what ClickUp sent.

==============  =====================================================================
``values``      timestamps, numbers, booleans, ids: tolerant of every form seen
``shapes``      objects and pages: quick where they are as expected, patient where not
``redact``      secrets out of pages, everything else byte for byte
``members``     people: of the workspace, and those who are met on tasks only
``structure``   spaces, folders, lists, statuses, tags, task types
``fields``      custom fields: definitions and values
``tasks``       tasks with their assignees, watchers, tags, lists, links, texts
``times``       time entries, and time in status
``comments``    comments of tasks with the replies to them
``details``     checklists and attachments of tasks
``goals``       goals and their key results
``docs``        docs and their pages
``enrich``      lead and cycle time, age, time in the current status, tracked time
==============  =====================================================================
"""
