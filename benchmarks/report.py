"""How a benchmark ends: one JSON object on the last line."""

import json
from typing import Any


def print_result(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False))
