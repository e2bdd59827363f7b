"""Dashboards: pages of charts, each with its table, over the Parquet files of the current export.

The way of a page: :mod:`filters` reads the address, :mod:`desk` looks whether the page was computed before,
:mod:`source` holds on to one version of the tables and asks the measures, one module for each page makes
:mod:`panels` of what they say, and :mod:`views` shows them. pandas and Plotly take seconds to import, so only
what runs in the desk's thread imports them.
"""

from __future__ import annotations

from clickup_toolkit.serve.dashboards.views import ROUTES

__all__ = ["ROUTES"]
