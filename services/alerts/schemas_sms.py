"""How an SMS gateway (短信网关) wants to be asked, as data: requests, the meaning of its codes, its receipts.

Texts are filled with `{{ name }}`: phone, text, link, place, count, id (ours, the same over all tries), secret, and
the moment as unix, millis, stamp (年月日时分秒); filters: md5, sha256, hmac_sha256(secret), base64, upper, lower.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from shared.web.schema import DivisionStr, Name, OpenText, Strict

Filled = Annotated[OpenText, Field(max_length=2000)]
At = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_.-]*$", examples=["data.0.code"])]
Codes = Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=100)]
HeaderName = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]


class Pair(Strict):
    """A header or a query parameter."""

    name: Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")]
    value: Filled


class CallIn(Strict):
    """One HTTP request: `body` is JSON whose texts are filled; `encoding` says how it is sent."""

    method: Literal["POST", "GET"] = "POST"
    url: OpenText = Field(min_length=1, max_length=500, examples=["https://sms.example.gov.cn/send"])
    query: list[Pair] = Field(default_factory=list, max_length=20)
    headers: list[Pair] = Field(default_factory=list, max_length=20)
    encoding: Literal["json", "form", "base64_json"] = "json"
    body: Filled | None = Field(default=None, examples=['{"mobile": "{{ phone }}", "content": "{{ text }}"}'])


class AnswerIn(Strict):
    """Where the supplier's own code and message id stand in its answer, and what its codes mean."""

    code_at: At = Field(min_length=1, examples=["code"])
    id_at: At | None = Field(default=None, examples=["msgid"])
    ok: Codes = Field(min_length=1, examples=[["0"]])
    retry: Codes = Field(default_factory=list)
    limited: Codes = Field(default_factory=list, description="发送过快")
    fix: Codes = Field(default_factory=list, description="短信平台需要人工处理，例如余额不足、密钥错误")
    bad_number: Codes = Field(default_factory=list, description="这个号码不能用，例如空号、黑名单")
    otherwise: Literal["retry", "fix"] = "retry"
    block_seconds: int = Field(default=60, ge=1, le=86_400)


class InquiryIn(CallIn):
    """How to ask whether a message of ours was sent, and what the answer at `state_at` means."""

    state_at: At = Field(min_length=1, examples=["data.status"])
    sent: Codes = Field(min_length=1)
    failed: Codes = Field(default_factory=list)
    unknown: Codes = Field(default_factory=list, description="供应商没有这条短信")


class ReceiptIn(Strict):
    """How the supplier's receipts look, and how they prove where they come from.

    `proof`: `header` (the secret stands in it), `hmac_sha256` (of the body, in hex, in it), or Standard Webhooks.
    """

    proof: Literal["header", "hmac_sha256", "standard_webhooks"]
    header: HeaderName = "X-Signature"
    items_at: At = Field(default="", description="列表所在位置；空表示整个请求体")
    our_id_at: At | None = None
    supplier_id_at: At | None = None
    state_at: At = Field(min_length=1)
    arrived: Codes = Field(min_length=1, examples=[["DELIVRD"]])
    pending: Codes = Field(default_factory=list, description="尚无结果")
    answer: Filled = Field(default='{"code": 0}', description="回给供应商的 JSON")

    @model_validator(mode="after")
    def _names_the_message(self) -> Self:
        if self.our_id_at is None and self.supplier_id_at is None:
            raise ValueError("our_id_at 与 supplier_id_at 至少填一个")
        return self


class MappingIn(Strict):
    """Everything about one supplier."""

    send: CallIn
    answer: AnswerIn
    longest: int = Field(default=70, ge=70, le=500, description="一条短信最多多少字；超过 70 字按多条计费")
    inquiry: InquiryIn | None = None
    receipt: ReceiptIn | None = None


class GatewayIn(Strict):
    """The SMS gateway of a division. A secret that is left out stays as it was."""

    division: DivisionStr
    name: Name = Field(examples=["县政务短信平台"])
    mapping: MappingIn
    secret: OpenText | None = Field(default=None, max_length=500)
    receipt_secret: OpenText | None = Field(default=None, min_length=16, max_length=500)


class GatewayView(BaseModel):
    """A gateway; its secrets are never shown."""

    gateway_id: UUID
    division: str
    name: str
    mapping: dict[str, Any]
    has_secret: bool
    has_receipt_secret: bool
    receipts_path: str
    updated_at: AwareDatetime
