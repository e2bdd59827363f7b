"""Many workspaces, on more than one machine: exports fanned out over a Dask cluster.

==============  ==========================================================================
``plan``        what is to be exported: workspaces.toml, read and checked
``references``  where a token is found, and how it is read where the work is done
``task``        what a worker does for one workspace, however often it is asked
``files``       from the local folder to object storage and back
``outcome``     what came of a workspace, and of all of them
``cluster``     the way to a cluster: the tasks, their news, their outcomes
``showing``     progress on the terminal, and the table at the end
``reading``     the tables of all workspaces, for measures
==============  ==========================================================================
"""

from clickup_toolkit.fleet.plan import Entry, Plan, read_plan
from clickup_toolkit.fleet.reading import by_workspace, tables, workspaces

__all__ = ["Entry", "Plan", "by_workspace", "read_plan", "tables", "workspaces"]
