"""Placeholder of the normalise package."""
