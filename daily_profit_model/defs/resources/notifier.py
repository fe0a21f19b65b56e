"""Who is told when something is wrong: `raise_alert` is what sensors and assets call.

An alert is kept in the lake (monitoring/alerts) and sent at once; what its receiver does not take is tried again by
the sensor `alerts_are_delivered`. Nothing here raises, so that no alert fails a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import structlog

from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.monitoring.alert_log import AlertLog, Channel, NotDelivered
from daily_profit_model.monitoring.alerts import Alert
from daily_profit_model.monitoring.channels import Email, Webhook
from daily_profit_model.settings import Settings, configure_logs, load_settings

log = structlog.get_logger(__name__)

UNRECORDED = 0
"""The number of an alert that could not be kept."""


@dataclass(frozen=True)
class Notifier:
    """Where alerts are kept, and the channels that are configured."""

    log: AlertLog
    channels: Mapping[str, Channel]

    def channels_of(self, severity: str) -> list[str]:
        """Where alerts of a severity go."""
        return [name for name, channel in self.channels.items() if severity in channel.severities]


def raise_alert(notifier: Notifier, alert: Alert) -> bool:
    """Keep an alert and send it, unless it was raised within the cool-down. Returns whether it is new.

    Where the lake cannot keep it, it is sent all the same, for then it may be about the lake.
    """
    channels = notifier.channels_of(alert.severity)
    try:
        is_new = notifier.log.record(alert, channels)
    except (LakeError, OSError) as error:
        log.error("alert_not_kept", alert=alert.title, why=" ".join(str(error).split()))
        for name in channels:
            _send_unrecorded(notifier.channels[name], alert)
        return True
    if is_new:
        log.warning("alert", event_key=alert.event, severity=alert.severity, title=alert.title)
        deliver(notifier)
    return is_new


def deliver(notifier: Notifier) -> int:
    """Send what is waiting; returns how many were sent."""
    try:
        return notifier.log.deliver(notifier.channels)
    except (LakeError, OSError) as error:
        log.error("alerts_not_delivered", why=" ".join(str(error).split()))
        return 0


def notifier_of(settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Notifier:
    """The notifier that the settings describe; without any channel alerts are only kept."""
    channels: dict[str, Channel] = {}
    if settings.dpm_alert_webhook_url.get_secret_value():
        channels["webhook"] = Webhook(settings.dpm_alert_webhook_url, settings.alert_webhook_severities)
    if settings.dpm_alert_smtp_url.get_secret_value():
        channels["email"] = Email(
            settings.dpm_alert_smtp_url,
            settings.dpm_alert_email_from,
            settings.alert_recipients,
            settings.alert_email_severities,
        )
    cooldown = timedelta(minutes=settings.dpm_alert_cooldown_minutes)
    return Notifier(AlertLog(Lake(settings.lake_root), cooldown=cooldown, now=now), channels)


@dg.resource(description="Alerts: kept in the lake, sent to a webhook and by e-mail where these are configured")
def notifier_resource(_: dg.InitResourceContext) -> Notifier:
    settings = load_settings()
    configure_logs(settings.dpm_log_format)
    return notifier_of(settings)


def _send_unrecorded(channel: Channel, alert: Alert) -> None:
    try:
        channel.send(UNRECORDED, alert)
    except NotDelivered as problem:
        log.error("alert_not_sent", alert=alert.title, why=str(problem))
