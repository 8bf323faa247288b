"""Sound an alarm of the watch by mail and webhook, straight from here: the queues may be what stands still."""

import asyncio
import json
from base64 import b64decode
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib
import httpx

from services.alerts.channels.smtp import hand_in
from services.alerts.settings import AlertsSettings
from shared.logs import log
from shared.messaging.signing import sign
from shared.runtime import Runtime
from shared.web.outbound_transport import AddressNotAllowed, outbound_client

MESSAGE_TYPE = "cn.fangpin.alerts.watch.v1"
_SECONDS = 10
_TIMEOUT = httpx.Timeout(_SECONDS, connect=3)


async def sound_alarm(runtime: Runtime, incident_id: UUID, subject: str, detail: str, *, is_over: bool) -> bool:
    """Tell the county's operators; False if ways out are set and none took it. Without any, the log has to do."""
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    tries = []
    if settings.smtp_host and settings.watch_mail_to:
        tries.append(await _mail(runtime, settings, incident_id, subject, detail))
    if settings.watch_webhook_url:
        tries.append(await _post(runtime, settings, incident_id, subject, detail, is_over))
    return any(tries) or not tries


async def _mail(runtime: Runtime, settings: AlertsSettings, incident_id: UUID, subject: str, detail: str) -> bool:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = settings.smtp_from, ", ".join(settings.watch_mail_to), subject
    mail["Date"], mail["X-Incident"] = format_datetime(runtime.clock.now()), str(incident_id)
    mail.set_content(f"{detail}\n\n{settings.public_url}\n")
    try:
        await hand_in(mail, settings)
    except (aiosmtplib.SMTPException, OSError) as failure:
        log.error("watch.mail_failed", error=type(failure).__name__)
        return False
    return True


def _key(secret: str) -> bytes:
    """The key of a secret as Standard Webhooks writes it."""
    return b64decode(secret.removeprefix("whsec_"), validate=True)


async def _post(
    runtime: Runtime, settings: AlertsSettings, incident_id: UUID, subject: str, detail: str, is_over: bool
) -> bool:
    now = runtime.clock.now()
    data = {"title": subject, "body": detail, "over": is_over, "link": settings.public_url}
    text = {"type": MESSAGE_TYPE, "timestamp": now.isoformat(), "data": data}
    body = json.dumps(text, ensure_ascii=False).encode()
    # Begin and end of an incident are two messages.
    message_id = f"{incident_id}:{'over' if is_over else 'begun'}"
    secret = settings.watch_webhook_secret
    headers = {"content-type": "application/json"}
    if secret is not None:
        headers |= sign(_key(secret.get_secret_value()), message_id, body, now)
    try:
        async with asyncio.timeout(_SECONDS), outbound_client(settings.webhooks, _TIMEOUT) as http:
            answer = await http.post(str(settings.watch_webhook_url), content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, AddressNotAllowed, TimeoutError) as failure:
        log.error("watch.webhook_failed", error=type(failure).__name__)
        return False
    return answer.is_success
