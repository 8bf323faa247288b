"""E-mail: 4xx is tried again, 5xx about the address needs mending, trouble with our own relay is tried again."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.word_message import titled_text
from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from shared.settings import Settings

_SECONDS = 10
# For the whole conversation: each line of a slow relay starts the waiting afresh.
_WHOLE_SECONDS = 20
_RELAY_TROUBLE = (
    aiosmtplib.SMTPAuthenticationError,
    aiosmtplib.SMTPConnectResponseError,
    aiosmtplib.SMTPSenderRefused,
    aiosmtplib.SMTPHeloError,
)
# No such mailbox, not local, bad name, refused for good; 50x is about our commands and 552 about a full mailbox.
_ADDRESS_REFUSED = frozenset({521, 550, 551, 553, 554, 556})


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """Sends through the relay of the settings."""

    settings: Settings
    whole_seconds: float = _WHOLE_SECONDS

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        try:
            async with asyncio.timeout(self.whole_seconds):
                await hand_in(_mail(message, self.settings.smtp_from, target.address, now), self.settings)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _of_reply(refused.recipients[0].code)
        except _RELAY_TROUBLE as refused:
            # The relay does not want us: no fault of this address.
            return SendOutcome(OutcomeClass.RETRY, refused.code, "relay refused us")
        except aiosmtplib.SMTPResponseException as refused:
            return _of_reply(refused.code)
        except (aiosmtplib.SMTPException, OSError) as failure:
            return SendOutcome(OutcomeClass.RETRY, reason=type(failure).__name__)
        return SendOutcome(OutcomeClass.OK, 250)


async def hand_in(mail: EmailMessage, settings: Settings) -> None:
    """Give a mail to the relay of the settings; aiosmtplib's errors and OSError if it is not taken."""
    await aiosmtplib.send(
        mail,
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        start_tls=settings.smtp_starttls,
        timeout=_SECONDS,
    )


def _of_reply(code: int) -> SendOutcome:
    if code in _ADDRESS_REFUSED:
        return SendOutcome(OutcomeClass.FIX, code, "address refused")
    return SendOutcome(OutcomeClass.RETRY, code, "temporary refusal")


def _mail(message: Message, sender: str, recipient: str, now: datetime) -> EmailMessage:
    said = titled_text("smtp", message)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, said.title
    mail["Date"] = format_datetime(now)
    # The same over all tries, so that mail clients show a repeated mail once.
    mail["Message-ID"] = f"<{message.message_id}@fangpin>"
    mail.set_content(f"{said.body}\n\n{message.link}\n")
    return mail
