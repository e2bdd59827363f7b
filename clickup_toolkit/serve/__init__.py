"""Placeholder of the serve package."""
