"""Trial evaluations (试算) over HTTP."""

import asyncio
from typing import Annotated

from fastapi import Depends

from services.monitoring.evaluate_household import evaluate_household
from services.monitoring.schemas_evaluations import Evaluation, EvaluationRequest
from shared.security.principal import Principal
from shared.web.dependencies import require
from shared.web.problem import problems
from shared.web.routing import Router

Evaluator = Annotated[Principal, Depends(require("monitoring:evaluate"))]

router = Router(tags=["monitoring"])


@router.post(
    "/monitoring/v1/evaluations",
    summary="试算：给出一户的事实，得到完整的评估与说明；不保存",
    responses=problems(401, 403, 415, 422),
)
async def post_evaluation(body: EvaluationRequest, caller: Evaluator) -> Evaluation:
    # In a thread: a household of sixty with thousands of facts would hold the event loop.
    return await asyncio.to_thread(evaluate_household, body)
