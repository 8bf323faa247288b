"""Explanations: counterfactual, near misses, replay over HTTP."""

from shared.web.routing import Router

router = Router(tags=["monitoring"])
