"""How a benchmark ends: one JSON object on the last line."""

import json
from collections.abc import Mapping
from typing import Any, Union

# What was measured, by name; where a measure has parts, theirs by their names.
Figures = Mapping[str, Union[float, "Figures"]]


def print_result(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False))
