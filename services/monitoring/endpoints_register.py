"""The household register over HTTP."""

from shared.web.routing import Router

router = Router(tags=["monitoring"])
