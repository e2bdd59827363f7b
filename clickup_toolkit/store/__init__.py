"""Placeholder of the store package."""
