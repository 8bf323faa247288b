"""A department's file from POST to the outbox, on real PostgreSQL."""

import base64
from typing import Any

import pytest

from shared.contracts.intake import HouseholdsRecorded, ObservationsRecorded
from tests.services.intake.build import (
    VILLAGE,
    Department,
    csv_text,
    disability_row,
    medical_row,
    number,
    register_row,
)


def counts(feed: dict[str, Any], *names: str) -> list[int]:
    return [feed["counts"][name] for name in names]


async def test_a_good_file_is_recorded_and_said_to_monitoring(
    department: Department, said: Any, intake_runtime: Any
) -> None:
    feed = await department.send("medical_settlement", csv_text(medical_row(i) for i in range(3)), period="2026-01")
    assert feed["status"] == "recorded"
    assert counts(feed, "read", "accepted", "rejected", "recorded", "added") == [3, 3, 0, 3, 3]
    assert feed["newest_on"] == "2026-01-05"
    [(kind, payload, _)] = await said()
    assert kind == "cn.fangpin.intake.observations_recorded.v1"
    data = ObservationsRecorded.model_validate(payload)
    assert data.department == "医疗保障"
    first = data.observations[0]
    assert (first.kind, first.visit, first.gross_fen, first.compliant_fen, first.other_fen) == (
        "expense.medical",
        "inpatient",
        100000,
        30000,
        10000,
    )
    assert first.person == intake_runtime.keys.blind_index(number(0)).hex()
    assert number(0) not in str(payload)


async def test_the_same_file_again_is_the_same_feed(department: Department, said: Any) -> None:
    content = csv_text(medical_row(i) for i in range(3))
    first = await department.post("medical_settlement", content)
    again = await department.post("medical_settlement", content)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"id": first.json()["id"], "status": "received", "repeated": True}
    assert again.headers["Location"] == first.headers["Location"]
    await department.house.run_worker("intake", "ingest")
    assert len(await said()) == 1


async def test_the_same_rows_in_another_file_change_nothing(department: Department, said: Any) -> None:
    await department.send("medical_settlement", csv_text(medical_row(i) for i in range(5)))
    feed = await department.send("medical_settlement", csv_text(medical_row(4 - i) for i in range(5)))
    assert counts(feed, "accepted", "added", "changed", "unchanged") == [5, 0, 0, 5]
    assert len(await said()) == 1


async def test_only_what_is_new_or_different_travels(department: Department, said: Any) -> None:
    await department.send("medical_settlement", csv_text(medical_row(i) for i in range(4)))
    rows = [medical_row(0), medical_row(1, 医疗总费用="1000.01", 其他支付="0.01"), medical_row(7)]
    feed = await department.send("medical_settlement", csv_text(rows))
    assert counts(feed, "added", "changed", "unchanged") == [1, 1, 1]
    assert sorted(o["record"] for o in (await said())[1][1]["observations"]) == ["JS00000001", "JS00000007"]


BAD = [medical_row(0), medical_row(1, 证件号码="999901196001010011"), medical_row(2)]


async def test_partial_takes_the_good_rows_and_explains_the_bad(department: Department) -> None:
    feed = await department.send("medical_settlement", csv_text(BAD), mode="partial")
    assert feed["status"] == "recorded"
    assert counts(feed, "read", "accepted", "rejected") == [3, 2, 1]
    [error] = await department.errors(feed["id"])
    assert (error["line"], error["column"], error["code"]) == (3, "证件号码", "wrong_check_digit")
    assert all(error[part] for part in ("reason", "expected", "example"))
    assert "999901196001010011" not in str(error)


async def test_atomic_records_nothing_when_a_row_is_bad(department: Department, said: Any) -> None:
    feed = await department.send("medical_settlement", csv_text(BAD), mode="atomic")
    assert (feed["status"], feed["problem"]["code"]) == ("rejected", "rows_rejected")
    assert counts(feed, "accepted", "recorded") == [2, 0]
    assert await said() == []
    assert len(await department.errors(feed["id"])) == 1


async def test_atomic_records_a_good_file(department: Department, said: Any) -> None:
    feed = await department.send("medical_settlement", csv_text([medical_row(0)]), mode="atomic")
    assert feed["status"] == "recorded"
    assert len(await said()) == 1


async def test_a_dry_run_reports_everything_and_records_nothing(
    department: Department, said: Any, admin: Any
) -> None:
    feed = await department.send("medical_settlement", csv_text(BAD), mode="dry_run")
    assert feed["status"] == "checked"
    assert counts(feed, "read", "accepted", "rejected", "recorded", "added") == [3, 2, 1, 0, 2]
    assert await said() == []
    for table in ("feed_record", "feed_row_staged", "feed_chunk"):
        assert await admin.fetchval(f"SELECT count(*) FROM intake.{table}") == 0


async def test_a_file_of_bad_rows_only_is_rejected(department: Department) -> None:
    feed = await department.send("medical_settlement", csv_text([BAD[1]]))
    assert (feed["status"], feed["problem"]["code"]) == ("rejected", "no_good_row")


async def test_a_header_without_rows_is_recorded_as_nothing(department: Department) -> None:
    feed = await department.send("medical_settlement", csv_text([], header=medical_row(0)))
    assert (feed["status"], feed["counts"]["read"]) == ("recorded", 0)


async def test_rows_that_contradict_each_other_are_both_refused(department: Department) -> None:
    rows = [medical_row(0), medical_row(1), medical_row(0, 结算日期="2026-01-06"), medical_row(1)]
    feed = await department.send("medical_settlement", csv_text(rows))
    assert counts(feed, "read", "accepted", "rejected", "duplicates", "records") == [4, 2, 2, 1, 1]
    errors = await department.errors(feed["id"])
    assert [(e["line"], e["code"]) for e in errors] == [(2, "rows_conflict"), (4, "rows_conflict")]
    assert "2、4" in errors[0]["reason"]


async def test_a_warning_is_shown_and_the_row_is_taken(department: Department) -> None:
    feed = await department.send("medical_settlement", csv_text([medical_row(0, 医疗总费用="1000.02")]))
    assert counts(feed, "accepted", "rejected") == [1, 0]
    [error] = await department.errors(feed["id"])
    assert (error["code"], error["level"]) == ("amounts_do_not_add_up", "warning")


async def test_gb18030_is_read(department: Department, said: Any) -> None:
    content = csv_text([medical_row(0, 姓名="王𠮷")]).encode("gb18030")
    feed = await department.send("medical_settlement", content)
    assert (feed["status"], feed["report"]["encoding"]) == ("recorded", "gb18030")


async def test_the_report_says_what_was_mapped_ignored_and_normalised(department: Department) -> None:
    row = medical_row(0, 结算日期="2026年1月5日")
    content = (
        csv_text([{**row, "备注": "x"}]).replace("证件号码", "身份证号 *").replace("医疗总费用", "医疗总费用(元)")
    )
    feed = await department.send("medical_settlement", content)
    report = feed["report"]
    assert {"header": "身份证号 *", "column": "identity_number"} in report["mapped"]
    assert report["ignored"] == ["备注"]
    assert [(n["column"], n["code"], n["count"]) for n in report["notes"]] == [("结算日期", "date_form", 1)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("结算单号,姓名\r\n1,2\r\n", "header_incomplete"),
        (csv_text([medical_row(0)]).replace("姓名", "证件号码", 1), "header_repeated"),
        ('"结算单号,姓名\r\n1,2\r\n', "header_unreadable"),
    ],
)
async def test_an_unusable_header_refuses_the_whole_file(department: Department, content: str, code: str) -> None:
    feed = await department.send("medical_settlement", content)
    assert (feed["status"], feed["problem"]["code"]) == ("rejected", code)


async def test_ndjson_is_read_line_by_line(department: Department) -> None:
    import json

    lines = [
        json.dumps(medical_row(0), ensure_ascii=False),
        "",
        '{"结算单号": ',
        json.dumps({**medical_row(1), "合规自付": 300.0}, ensure_ascii=False),
        json.dumps({**medical_row(2), "级别": "x"}, ensure_ascii=False),
        json.dumps(medical_row(3), ensure_ascii=False),
    ]
    feed = await department.send("medical_settlement", "\n".join(lines), media_type="application/x-ndjson")
    assert counts(feed, "read", "accepted", "rejected") == [5, 2, 3]
    errors = await department.errors(feed["id"])
    assert [(e["line"], e["code"]) for e in errors] == [
        (3, "invalid_json"),
        (4, "send_as_text"),
        (5, "unknown_field"),
    ]


class TestRegister:
    async def test_a_household_travels_whole_with_its_numbers_sealed(
        self, department: Department, said: Any, intake_runtime: Any
    ) -> None:
        rows = [register_row(1, 1), register_row(1), register_row(2)]
        feed = await department.send("household_register", csv_text(rows), period="2026")
        assert counts(feed, "accepted", "records", "added") == [3, 2, 2]
        [(_, payload, event_id)] = await said()
        data = HouseholdsRecorded.model_validate(payload)
        assert data.recorded_from.isoformat() == "2026-01-01"
        household = data.households[0]
        assert (household.household_no, household.division, household.base_group) == ("H000001", VILLAGE, "general")
        assert household.income is not None
        assert (household.income.business_sales_fen, household.income.transfer_fen) == (900050, 260000)
        opened = [
            intake_runtime.keys.open_from_transit(
                base64.b64decode(m.sealed), str(event_id), f"members/{household.household_no}/{i}"
            )
            for i, m in enumerate(household.members)
        ]
        assert opened == [number(11), number(10)]
        assert household.members[1].relation == "户主"
        assert number(10) not in str(payload)

    async def test_a_household_without_a_good_head_is_refused_with_the_reason(self, department: Department) -> None:
        rows = [register_row(1, 证件号码="1"), register_row(1, 1), register_row(2), register_row(2, 1, 证件号码="1")]
        feed = await department.send("household_register", csv_text(rows))
        assert counts(feed, "accepted", "rejected", "records") == [1, 3, 1]
        errors = await department.errors(feed["id"])
        assert [(e["line"], e["code"]) for e in errors] == [
            (2, "wrong_length"),
            (3, "household_without_head"),
            (5, "wrong_length"),
        ]
        assert "有错的行: 2" in errors[1]["reason"]

    async def test_two_heads_refuse_the_household(self, department: Department) -> None:
        rows = [register_row(1), register_row(1, 1, 与户主关系="户主", 户类型="脱贫户"), register_row(2)]
        feed = await department.send("household_register", csv_text(rows))
        assert counts(feed, "rejected", "records") == [2, 1]
        assert {e["code"] for e in await department.errors(feed["id"])} == {"household_has_two_heads"}

    async def test_the_same_person_twice_with_other_values_is_refused(self, department: Department) -> None:
        rows = [register_row(1), register_row(1, 1), register_row(1, 1, 姓名="王小明甲")]
        feed = await department.send("household_register", csv_text(rows))
        assert counts(feed, "accepted", "rejected", "records") == [1, 2, 1]

    async def test_a_changed_member_sends_the_household_again(self, department: Department, said: Any) -> None:
        await department.send("household_register", csv_text([register_row(1), register_row(1, 1), register_row(2)]))
        rows = [register_row(1, 1, 参加居民医保="否"), register_row(1), register_row(2)]
        feed = await department.send("household_register", csv_text(rows))
        assert counts(feed, "changed", "unchanged") == [1, 1]
        [household] = (await said())[1][1]["households"]
        assert len(household["members"]) == 2

    async def test_a_bad_phone_is_a_warning(self, department: Department, said: Any) -> None:
        feed = await department.send("household_register", csv_text([register_row(1, 联系电话="123")]))
        assert feed["counts"]["accepted"] == 1
        assert "phone" not in (await said())[0][1]["households"][0]

    async def test_an_incomplete_income_is_unknown_not_zero(self, department: Department, said: Any) -> None:
        feed = await department.send("household_register", csv_text([register_row(1, 财产性收入="-")]))
        assert [e["code"] for e in await department.errors(feed["id"])] == ["income_incomplete"]
        assert "income" not in (await said())[0][1]["households"][0]

    @pytest.mark.parametrize(
        ("division", "code"),
        [
            ("130624100999", "division_unknown"),
            ("130625100201", "division_outside_range"),
            ("130624", "not_a_village"),
        ],
    )
    async def test_a_row_of_another_place_is_refused(self, department: Department, division: str, code: str) -> None:
        feed = await department.send("household_register", csv_text([register_row(1, 行政区划代码=division)]))
        assert next(e["code"] for e in await department.errors(feed["id"])) == code


class TestSnapshot:
    async def test_what_it_no_longer_lists_has_ended(self, department: Department, said: Any) -> None:
        await department.send("disability_register", csv_text(disability_row(i) for i in range(5)), period="2026-01")
        feed = await department.send(
            "disability_register", csv_text(disability_row(i) for i in range(1, 5)), period="2026-02"
        )
        assert counts(feed, "ended", "unchanged") == [1, 4]
        [ended] = (await said())[1][1]["observations"]
        assert (ended["op"], ended["kind"], ended["ended_on"]) == ("end", "state.disability", "2026-02-28")
        ObservationsRecorded.model_validate((await said())[1][1])

    async def test_who_is_listed_again_lives_again(self, department: Department, said: Any) -> None:
        for month, rows in (("2026-01", range(5)), ("2026-02", range(1, 5)), ("2026-03", range(5))):
            feed = await department.send("disability_register", csv_text(map(disability_row, rows)), period=month)
        assert counts(feed, "changed", "unchanged") == [1, 4]
        observations = (await said())[2][1]["observations"]
        assert [(o["kind"], o.get("op", "put")) for o in observations] == [
            ("state.disability", "put"),
            ("event.disability_certified", "put"),
        ]

    async def test_a_file_with_refused_rows_ends_nothing(self, department: Department) -> None:
        await department.send("disability_register", csv_text(map(disability_row, range(5))), period="2026-01")
        rows = [disability_row(0), disability_row(1, 残疾等级="五级")]
        feed = await department.send("disability_register", csv_text(rows), period="2026-02")
        assert (feed["status"], feed["counts"]["ended"]) == ("recorded", 0)
        assert feed["report"]["ending"]["why"] == "rows_rejected"

    async def test_the_brake_waits_for_a_person(self, department: Department, said: Any) -> None:
        await department.send("disability_register", csv_text(map(disability_row, range(50))), period="2026-01")
        feed = await department.send(
            "disability_register", csv_text(map(disability_row, range(39))), period="2026-02"
        )
        assert feed["status"] == "waiting_confirmation"
        assert feed["report"]["ending"]["unlisted"] == 11
        assert len(await said()) == 1
        by_itself = await department.client.post(f"/intake/v1/feeds/{feed['id']}/confirm", headers=department.headers)
        assert (by_itself.status_code, by_itself.json()["code"]) == (403, "confirmed_by_a_person")
        answer = await department.confirm(feed["id"])
        assert answer.status_code == 202
        await department.house.run_worker("intake", "ingest")
        feed = await department.feed(feed["id"])
        assert (feed["status"], feed["counts"]["ended"]) == ("recorded", 11)
        again = await department.confirm(feed["id"])
        assert (again.status_code, again.json()["code"]) == (409, "feed_not_waiting")

    async def test_ten_endings_do_not_wait(self, department: Department) -> None:
        await department.send("disability_register", csv_text(map(disability_row, range(12))), period="2026-01")
        feed = await department.send("disability_register", csv_text(map(disability_row, range(2))), period="2026-02")
        assert (feed["status"], feed["counts"]["ended"]) == ("recorded", 10)

    async def test_a_waiting_list_is_overtaken_by_a_newer_one(self, department: Department) -> None:
        await department.send("disability_register", csv_text(map(disability_row, range(50))), period="2026-01")
        waiting = await department.send("disability_register", csv_text([disability_row(0)]), period="2026-02")
        await department.send("disability_register", csv_text(map(disability_row, range(49))), period="2026-03")
        answer = await department.confirm(waiting["id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "feed_overtaken")

    async def test_an_older_list_is_refused(self, department: Department) -> None:
        await department.send("disability_register", csv_text(map(disability_row, range(5))), period="2026-02")
        feed = await department.send("disability_register", csv_text(map(disability_row, range(4))), period="2026-01")
        assert (feed["status"], feed["problem"]["code"]) == ("rejected", "snapshot_outdated")

    async def test_a_certificate_that_says_something_else_is_refused(self, department: Department) -> None:
        rows = [disability_row(0), disability_row(1, 残疾等级="四级"), disability_row(2, 证件号码=number(9))]
        feed = await department.send("disability_register", csv_text(rows))
        assert [e["code"] for e in await department.errors(feed["id"])] == ["certificate_disagrees"] * 2

    async def test_a_certificate_becomes_a_state_and_an_event(self, department: Department, said: Any) -> None:
        await department.send("disability_register", csv_text([disability_row(0)]))
        state, event = (await said())[0][1]["observations"]
        assert (state["kind"], state["value"], state["occurred_on"]) == ("state.disability", "4-3", "2025-11-20")
        assert state["attributes"] == {"types": [4], "grade": 3, "certified_on": "2025-11-20"}
        assert event["kind"] == "event.disability_certified"
        assert number(0) not in state["record"]
