"""Whom a household is told to call."""

from typing import Any

import pytest

from services.intake import show_progress


@pytest.mark.parametrize("name", ["第一山村", "第一山村村民委员会", "第一山村村委会"])
async def test_the_village_committee_is_named_once(
    name: str, intake_runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def named(*_: Any) -> dict[str, str]:
        return {"130624100201": name}

    monkeypatch.setattr(show_progress, "name_places", named)
    said = await show_progress.whom_to_call(intake_runtime, "130624100201")
    assert said.startswith("第一山村村委会，")
