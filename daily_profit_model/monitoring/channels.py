"""Where alerts are told: a webhook that takes Slack's JSON, and e-mail by SMTP.

Both addresses are secrets. No message here says more of them than the host.
"""

from __future__ import annotations

import contextlib
import ipaddress
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import structlog
from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from daily_profit_model.monitoring.alert_log import NotDelivered
from daily_profit_model.monitoring.alerts import Alert

log = structlog.get_logger(__name__)

ATTEMPTS = 3
"""Within one try; further ones are left to the next."""
TIMEOUT_S = 10.0
"""For an answer. Receivers answer in well under a second; a sensor's tick has a minute."""
SMTP_PORTS = {"smtp": 587, "smtps": 465}
"""Submission, and submission over TLS (RFC 8314)."""

_HEADER_LENGTH = 150
_TEXT_LENGTH = 3000
_FIELDS = 10
"""What Slack takes in a header, in a section's text, and as fields of a section (Block Kit reference)."""


class _Passing(NotDelivered):
    """Worth another attempt."""


@dataclass(frozen=True)
class Webhook:
    """An address that takes `{"text": …, "blocks": […]}` by POST and answers 2xx."""

    url: SecretStr
    severities: Sequence[str]
    timeout_s: float = TIMEOUT_S
    pause_s: float = 1.0
    """Before the second attempt; before the third twice as long."""

    def send(self, number: int, alert: Alert) -> None:
        """POST it. Raises NotDelivered."""
        _try(lambda: self._post(slack_message(number, alert)), self.pause_s)

    def _post(self, message: dict[str, Any]) -> None:
        url = self.url.get_secret_value()
        host = urlsplit(url).hostname
        try:
            answer = requests.post(url, json=message, timeout=self.timeout_s, allow_redirects=False)
        except requests.RequestException as error:  # its text holds the address
            raise _Passing(f"the webhook at {host} did not answer ({type(error).__name__})") from None
        if answer.status_code == requests.codes.too_many_requests or answer.status_code >= 500:
            raise _Passing(f"the webhook at {host} answered {answer.status_code}")
        if not 200 <= answer.status_code < 300:
            raise NotDelivered(f"the webhook at {host} answered {answer.status_code}: is DPM_ALERT_WEBHOOK_URL right?")


@dataclass(frozen=True)
class Email:
    """A mail server. Encrypted where it can be (`smtp://` by STARTTLS, `smtps://` from the start)."""

    url: SecretStr
    sender: str
    recipients: Sequence[str]
    severities: Sequence[str]
    timeout_s: float = TIMEOUT_S
    pause_s: float = 1.0

    def send(self, number: int, alert: Alert) -> None:
        """Hand it to the server. Raises NotDelivered."""
        _try(lambda: self._submit(mail(number, alert, self.sender, self.recipients)), self.pause_s)

    def _submit(self, message: EmailMessage) -> None:
        parts = urlsplit(self.url.get_secret_value())
        host = parts.hostname or ""
        try:
            server = self._connect(parts.scheme, host, parts.port or SMTP_PORTS[parts.scheme])
            try:
                is_encrypted = parts.scheme == "smtps" or _start_tls(server)
                if parts.username:
                    if not is_encrypted and not _is_this_machine(host):
                        raise NotDelivered(f"{host} offers no STARTTLS, and no password goes there in the clear")
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                refused = server.send_message(message)
            finally:
                with contextlib.suppress(OSError, smtplib.SMTPException):  # what is taken is taken
                    server.quit()
        except smtplib.SMTPResponseException as error:
            kind = _Passing if 400 <= error.smtp_code < 500 else NotDelivered
            raise kind(f"the mail server {host} answered {error.smtp_code} ({type(error).__name__})") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise NotDelivered(f"the mail server {host} refused {', '.join(error.recipients)}") from None
        except smtplib.SMTPNotSupportedError:
            raise NotDelivered(f"the mail server {host} knows no login: leave out user and password") from None
        except ssl.SSLError as error:
            raise NotDelivered(f"the mail server {host} cannot be trusted ({error.reason or 'TLS'})") from None
        except (OSError, smtplib.SMTPException) as error:
            raise _Passing(f"the mail server {host} did not answer ({type(error).__name__})") from None
        if refused:
            log.warning("alert_mail_refused_for", recipients=sorted(refused))

    def _connect(self, scheme: str, host: str, port: int) -> smtplib.SMTP:
        if scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(host, port, timeout=self.timeout_s)


def slack_message(number: int, alert: Alert) -> dict[str, Any]:
    """The JSON that Slack (and what speaks like it) shows: `text` for notifications, `blocks` for the channel."""
    subject = subject_of(alert)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": subject[:_HEADER_LENGTH]}},
    ]
    if alert.text:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _escaped(alert.text, _TEXT_LENGTH)}})
    fields = [{"type": "mrkdwn", "text": _escaped(f"*{name}*\n{value}", 2000)} for name, value in alert.facts.items()]
    if fields:
        blocks.append({"type": "section", "fields": fields[:_FIELDS]})
    told = f"alert {number}, {alert.event}, {_instant(alert)}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(told, _TEXT_LENGTH)}]})
    return {"text": _escaped(subject, _TEXT_LENGTH), "blocks": blocks}


def mail(number: int, alert: Alert, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The alert as an e-mail; its Message-ID is the alert's own, so that mail programs know it again."""
    message = EmailMessage()
    message["Subject"] = subject_of(alert)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Date"] = alert.when.astimezone(UTC)
    message["Message-ID"] = f"<alert-{number}-{int(alert.when.timestamp())}@{sender.rpartition('@')[2].rstrip('>')}>"
    facts = [f"{name}: {value}" for name, value in alert.facts.items()]
    message.set_content("\n\n".join(part for part in (alert.text, "\n".join(facts), _told(number, alert)) if part))
    return message


def subject_of(alert: Alert) -> str:
    """Severity and title, in one line."""
    return f"[{alert.severity.upper()}] {' '.join(alert.title.split())}"


def _told(number: int, alert: Alert) -> str:
    return f"alert {number}, {alert.event}, {_instant(alert)}"


def _instant(alert: Alert) -> str:
    return f"{alert.when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _escaped(text: str, length: int) -> str:
    """Slack's three control characters made harmless, cut where Slack would refuse it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:length]


def _try(send: Callable[[], None], pause_s: float) -> None:
    """Send, again after what passes. Raises NotDelivered, whatever went wrong: one alert must not hold up the others."""
    attempts = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=pause_s),
        retry=retry_if_exception_type(_Passing),
        reraise=True,
    )
    try:
        attempts(send)
    except NotDelivered:
        raise
    except Exception as error:  # a name or an address that cannot be encoded, for one; its text may hold a secret
        raise NotDelivered(f"it cannot be sent as it is ({type(error).__name__})") from None


def _start_tls(server: smtplib.SMTP) -> bool:
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("starttls"):
        return False
    server.starttls(context=ssl.create_default_context())
    return True


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
