"""Takes a whole ClickUp workspace out of the API, completely and fast, and makes it useful."""

__version__ = "0.1.0"
