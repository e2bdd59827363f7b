"""Placeholder of the demo package."""
