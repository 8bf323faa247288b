"""E-mail: 4xx is tried again, 5xx about the address needs mending, trouble with our own relay is tried again."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from services.alerts.channels.channel import Message, Target
from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from shared.settings import Settings

_SECONDS = 10
_RELAY_TROUBLE = (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPHeloError)


@dataclass(frozen=True, slots=True)
class SmtpChannel:
    """Sends through the relay of the settings."""

    settings: Settings

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        settings = self.settings
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        try:
            await aiosmtplib.send(
                _mail(message, sender=settings.smtp_from, recipient=target.address, now=now),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_username,
                password=password,
                start_tls=settings.smtp_starttls,
                timeout=_SECONDS,
            )
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


def _of_reply(code: int) -> SendOutcome:
    if 500 <= code < 600:
        return SendOutcome(OutcomeClass.FIX, code, "address refused")
    return SendOutcome(OutcomeClass.RETRY, code, "temporary refusal")


def _mail(message: Message, *, sender: str, recipient: str, now: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, message.title
    mail["Date"] = format_datetime(now)
    # The same over all tries, so that mail clients show a repeated mail once.
    mail["Message-ID"] = f"<{message.message_id}@fangpin>"
    mail.set_content(f"{message.body}\n\n{message.link}\n")
    return mail
