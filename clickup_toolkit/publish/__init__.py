"""Placeholder of the publish package."""
