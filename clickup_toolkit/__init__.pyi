from clickup_toolkit.workspace import Workspace as Workspace

__version__: str
