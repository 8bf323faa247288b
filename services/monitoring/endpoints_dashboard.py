"""Figures for dashboards, and the lists behind them over HTTP."""

from shared.web.routing import Router

router = Router(tags=["monitoring"])
