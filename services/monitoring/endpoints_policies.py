"""Policies: drafts, comparison, approval, publication over HTTP."""

from shared.web.routing import Router

router = Router(tags=["monitoring"])
