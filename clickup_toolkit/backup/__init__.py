"""Backups: a data folder and its published versions in one file, and back from it."""
