"""Trial evaluations (试算) over HTTP."""

from shared.web.routing import Router

router = Router(tags=["monitoring"])
