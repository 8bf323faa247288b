"""What a village cadre holds in his hand, in a real browser at 360 pixels: the whole way, without a network, without
script; small enough, large enough, and quiet."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.clock import FixedClock
from tests.pages.conftest import OpenScreen, Screen
from tests.services.alerts.places import OTHER_VILLAGE, risk

pytestmark = pytest.mark.timeout(180)

PIN = "274916"
MOST_BYTES = 60_000
LEAST_TAP = 44
# The boxes a thumb is to hit, as they are laid out.
_TARGETS = """() => [...document.querySelectorAll('a,button,input:not([type=hidden]),select,textarea,summary')]
  .map(e => { const b = e.getBoundingClientRect();
              return [e.tagName + ' ' + (e.name || e.textContent.trim().slice(0, 20)), b.width, b.height] })
  .filter(([_, w, h]) => w > 0 && h > 0)"""
_WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# Without a Chinese font the signs are narrow boxes: spaced out, they take the room they take on a phone.
_AS_WIDE_AS_CHINESE = """() => {
  const s = document.createElement('span'); s.textContent = '国'.repeat(10); document.body.append(s);
  const em = parseFloat(getComputedStyle(s).fontSize), w = s.getBoundingClientRect().width / 10; s.remove();
  if (w < .95 * em) document.body.style.letterSpacing = (em - w) / em + 'em'; }"""
_DRAFTS = "() => Object.keys(localStorage).filter(k => k.startsWith('fp1:')).length"


async def check_layout(screen: Screen) -> None:
    """Nothing sticks out sideways, and everything to be tapped is large enough."""
    await screen.page.evaluate(_AS_WIDE_AS_CHINESE)
    wide, shown = await screen.page.evaluate(_WIDTHS)
    assert wide <= shown == 360, await screen.page.title()
    small = [box for box in await screen.page.evaluate(_TARGETS) if min(box[1:]) < LEAST_TAP]
    assert small == []


async def check_size(screen: Screen, answer: Any) -> None:
    """One answer with all in it."""
    assert len(await answer.body()) < MOST_BYTES


async def log_in(screen: Screen, link: str) -> None:
    answer = await screen.page.goto(link)
    await check_size(screen, answer)
    await screen.picture("1-set-pin")
    await check_layout(screen)
    for name in ("pin", "again"):
        await screen.page.fill(f"input[name={name}]", PIN)
    await screen.page.click("button:has-text('打开')")
    await screen.page.wait_for_url("**/a/*")


async def tap(screen: Screen, name: str, value: str) -> None:
    await screen.page.locator(f"#answer input[name={name}][value={value}]").check()


async def fill_in(screen: Screen) -> None:
    """A visit: all seen is fine, water was not looked at, no risk."""
    for need in ("food", "clothing", "education", "medical", "housing"):
        await tap(screen, f"need_{need}", "fine")
    if await screen.page.locator(".js").count():
        await screen.page.click(".need:has(input[name=about_food]) .more")
    await screen.page.fill("input[name=about_food]", "米面够吃到秋收")
    await tap(screen, "outcome", "no_risk")
    await tap(screen, "method", "visit")
    await screen.page.fill("input[name=met]", "户主本人")
    await screen.page.fill("#answer [name=note]", "儿子寄钱回来了")


@pytest.fixture
async def two(alert: UUID, tell: Callable[..., Any]) -> UUID:
    """A second household waits in the same village; and one in another, which is nobody's here."""
    await tell(
        risk(2, contact={"name": "李小红", "phone": None}, severity="red", causes=["housing", "water"]),
        risk(3, living_division=OTHER_VILLAGE, registered_division=OTHER_VILLAGE),
    )
    return alert


async def test_the_whole_way(screen: OpenScreen, link: Any, two: UUID, rows: Any, address: str) -> None:
    phone: Screen = await screen()
    page = phone.page
    await log_in(phone, await link("S1", two))
    await phone.picture("2-household")
    await check_layout(phone)
    assert await page.get_attribute("a.call", "href") == "tel:19900000001"
    assert "张建国" not in page.url + await page.title()
    await page.click("text=签收：我会去核实")
    await page.wait_for_selector("text=已签收，请按期上门核实")
    answer = await page.goto(f"{address}/alerts/m/")
    await check_size(phone, answer)
    await phone.picture("3-list")
    await check_layout(phone)
    await page.click("text=张建国")
    await page.wait_for_url("**/a/*")
    await check_size(phone, await page.reload())
    await tap(phone, "need_housing", "lacking")
    await tap(phone, "outcome", "identify")
    await phone.picture("4-identify")
    await check_layout(phone)
    await page.click("text=提交，办结这一户")
    await page.wait_for_selector("text=还没有提交")
    await phone.picture("5-errors")
    await check_layout(phone)
    await fill_in(phone)
    await phone.picture("6-filled-in")
    await page.click("text=提交，办结这一户")
    await page.wait_for_url("**/done")
    await phone.picture("7-done")
    await check_layout(phone)
    assert "李小红" in await page.inner_text("main")
    assert await page.evaluate(_DRAFTS) == 0
    (kept,) = await rows("verification")
    assert (kept["outcome"], kept["met"], kept["note"]) == ("no_risk", "户主本人", "儿子寄钱回来了")
    assert kept["household_check"]["housing"] == {"seen": "fine", "note": None}
    assert kept["household_check"]["food"] == {"seen": "fine", "note": "米面够吃到秋收"}
    assert phone.hosts == {address.split("/")[2]}
    assert [error for error in phone.errors if "422" not in error] == []


async def test_a_draft_survives_the_loss_of_the_network(
    screen: OpenScreen, link: Any, alert: UUID, rows: Any
) -> None:
    phone: Screen = await screen()
    page = phone.page
    await log_in(phone, await link("S1", alert))
    await tap(phone, "need_water", "lacking")
    await page.fill("input[name=about_water]", "井水浑")
    made = await page.input_value("#answer input[name=id]")
    await page.reload()
    assert await page.input_value("input[name=about_water]") == "井水浑"
    assert await page.input_value("#answer input[name=id]") == made, "the same id as long as it is the same answer"
    await tap(phone, "need_water", "fine")
    await phone.context.set_offline(True)
    await page.wait_for_selector("#net:has-text('已保存在手机上')")
    await fill_in(phone)
    await page.click("text=提交，办结这一户")
    await page.wait_for_selector("#net:has-text('已保存在手机上，有网络后自动发送')")
    await page.evaluate("scrollTo(0, 0)")
    await phone.picture("8-offline")
    assert await rows("verification") == []
    assert await page.evaluate(_DRAFTS) == 1
    await phone.context.set_offline(False)
    await page.wait_for_url("**/done")
    (kept,) = await rows("verification")
    assert (str(kept["verification_id"]), kept["household_check"]["water"]) == (
        made,
        {"seen": "fine", "note": "井水浑"},
    )
    assert await page.evaluate(_DRAFTS) == 0
    assert phone.errors == []


async def test_what_waits_is_sent_from_the_list_too(
    screen: OpenScreen, link: Any, two: UUID, rows: Any, address: str
) -> None:
    """The cadre goes on to the next household; the answer goes out as soon as there is a network."""
    phone: Screen = await screen()
    page = phone.page
    await log_in(phone, await link("S1", two))
    await fill_in(phone)
    # The service is away, which no event tells: only the request that fails.
    await phone.context.route("**/answer", lambda route: route.abort())
    await page.click("text=提交，办结这一户")
    await page.wait_for_selector("#net:has-text('已保存在手机上，有网络后自动发送')")
    await page.goto(f"{address}/alerts/m/")
    await page.wait_for_selector("text=待发送")
    await phone.picture("9-list-waiting")
    await check_layout(phone)
    await phone.context.unroute("**/answer")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.wait_for_function(f"() => ({_DRAFTS})() === 0")
    assert len(await rows("verification")) == 1


async def test_what_waits_longer_than_the_phone_is_open_goes_out_after_the_pin(
    screen: OpenScreen, link: Any, alert: UUID, rows: Any, clock: FixedClock
) -> None:
    phone: Screen = await screen()
    page = phone.page
    await log_in(phone, await link("S1", alert))
    await phone.context.set_offline(True)
    await fill_in(phone)
    await page.click("text=提交，办结这一户")
    await page.wait_for_selector("#net:has-text('有网络后自动发送')")
    clock.at += timedelta(hours=12)
    await phone.context.set_offline(False)
    await page.wait_for_url("**/pin?**")
    await page.wait_for_selector("input[name=pin]")
    await check_layout(phone)
    assert await rows("verification") == []
    await page.fill("input[name=pin]", PIN)
    await page.click("button:has-text('继续')")
    await page.wait_for_url("**/done")
    await page.wait_for_selector("text=已办结")
    assert len(await rows("verification")) == 1
    assert await page.evaluate(_DRAFTS) == 0


async def test_without_script(screen: OpenScreen, link: Any, two: UUID, rows: Any) -> None:
    phone: Screen = await screen(java_script_enabled=False)
    page = phone.page
    await log_in(phone, await link("S1", two))
    await phone.picture("10-without-script")
    await page.click("text=签收：我会去核实")
    await page.wait_for_selector("text=已签收")
    await fill_in(phone)
    await page.click("text=提交，办结这一户")
    await page.wait_for_url("**/done")
    await page.click("text=去办下一户")
    await page.wait_for_selector("h1:has-text('李小红')")
    assert [row["outcome"] for row in await rows("verification")] == ["no_risk"]
