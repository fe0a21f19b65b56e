"""Alerts: raised once within the cool-down, sent once to each channel, kept until the receiver takes them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.monitoring import alerts
from daily_profit_model.monitoring.alert_log import AlertLog, NotDelivered
from daily_profit_model.monitoring.alerts import KEEP_TRYING, LEASE, Alert
from daily_profit_model.monitoring.channels import Email, Webhook, mail, slack_message
from daily_profit_model.tables.alerts import MONITORING_ALERTS
from daily_profit_model_tests.monitoring import alert_racer
from daily_profit_model_tests.monitoring.receivers import PASSWORD, Inbox, mail_server, web_server

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COOLDOWN = timedelta(hours=1)
ALERT = Alert(
    "missing:predictions", "error", "Predictions are missing", "dpm run makes them", NOON, {"day": "2026-06-02"}
)


@pytest.fixture
def web() -> Iterator[Inbox]:
    with web_server() as inbox:
        yield inbox


@pytest.fixture
def post() -> Iterator[Inbox]:
    with mail_server() as inbox:
        yield inbox


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(lake: Lake, clock: Clock) -> AlertLog:
    return restarted(lake, clock)


def restarted(lake: Lake, clock: Clock) -> AlertLog:
    return AlertLog(lake, cooldown=COOLDOWN, now=clock)


def webhook(inbox: Inbox) -> Webhook:
    return Webhook(SecretStr(inbox.address), ["error"], timeout_s=2.0, pause_s=0.0)


def by_mail(inbox: Inbox) -> Email:
    return Email(SecretStr(inbox.address), "Platform <dpm@example.com>", ["risk@example.com"], ["error"], 2.0, 0.0)


def acts(lake: Lake) -> list[tuple[int, str]]:
    rows = read(lake, MONITORING_ALERTS, lake.partitions(MONITORING_ALERTS.name)).to_pylist()
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["alert"], row["act"]) for row in rows]


def test_an_event_arrives_once_within_the_cool_down_and_again_after_it_even_across_restarts(
    lake: Lake, clock: Clock, web: Inbox, post: Inbox
) -> None:
    channels = {"webhook": webhook(web), "email": by_mail(post)}
    told = []
    for minutes in (0, 1, 59, 60, 61):
        clock.now = NOON + minutes * MINUTE
        log = restarted(lake, clock)
        told.append(log.record(replace(ALERT, when=clock.now), list(channels)))
        log.deliver(channels)
        assert log.deliver(channels) == 0
    assert told == [True, False, False, True, False]
    assert [len(web.posts), len(post.mails)] == [2, 2]
    assert [message["Subject"] for message in post.mails] == ["[ERROR] Predictions are missing"] * 2
    assert len({message["Message-ID"] for message in post.mails}) == 2


def test_another_event_or_a_worse_one_is_told_within_the_cool_down_and_a_milder_one_is_not(log: AlertLog) -> None:
    assert log.record(ALERT, [])
    assert log.record(replace(ALERT, event="another"), [])
    assert log.record(replace(ALERT, severity="critical"), [])
    assert not log.record(replace(ALERT, severity="warn"), [])


def test_the_same_occurrence_is_never_told_again_whatever_the_cool_down_says(log: AlertLog, clock: Clock) -> None:
    assert log.record(replace(ALERT, occurrence="a-run"), [])
    clock.now += 2 * COOLDOWN
    assert not log.record(replace(ALERT, occurrence="a-run"), [])
    assert log.record(replace(ALERT, occurrence="another-run"), [])


def test_two_processes_at_once_send_one(lake: Lake, web: Inbox, tmp_path: Path) -> None:
    given = (str(lake.root), str(tmp_path), "other", web.address)
    other = subprocess.Popen([sys.executable, "-m", alert_racer.__name__, *given])
    alert_racer.race(str(lake.root), tmp_path, "one", web.address)
    assert other.wait(timeout=alert_racer.PATIENCE_S) == 0
    assert len(web.posts) == 1
    assert acts(lake) == [(1, "raised"), (1, "sending"), (1, "sent")]


def test_what_a_receiver_did_not_take_is_sent_by_a_later_tick_with_growing_pauses_and_then_never_again(
    lake: Lake, clock: Clock, web: Inbox
) -> None:
    web.status = 503
    restarted(lake, clock).record(ALERT, ["webhook"])
    tried = []
    for minute in range(16):
        clock.now = NOON + minute * MINUTE
        before = len(acts(lake))
        assert restarted(lake, clock).deliver({"webhook": webhook(web)}) == 0
        tried += [minute] if len(acts(lake)) > before else []
    assert tried == [0, 1, 3, 7, 15]
    web.status = 200
    clock.now = NOON + timedelta(minutes=31)
    assert [restarted(lake, clock).deliver({"webhook": webhook(web)}) for _ in range(3)] == [1, 0, 0]
    assert len(web.posts) == 1
    why = read(lake, MONITORING_ALERTS, ["000000003"]).to_pylist()[0]
    assert (why["act"], why["text"]) == ("not_sent", "the webhook at 127.0.0.1 answered 503")


def test_pauses_are_at_most_an_hour_and_after_four_days_an_alert_is_history(
    lake: Lake, clock: Clock, log: AlertLog, web: Inbox
) -> None:
    web.status = 400
    log.record(ALERT, ["webhook"])
    for hours in range(20):
        clock.now = NOON + timedelta(hours=hours)
        log.deliver({"webhook": webhook(web)})
    assert acts(lake).count((1, "not_sent")) == 20
    web.status = 200
    clock.now = NOON + KEEP_TRYING
    assert log.deliver({"webhook": webhook(web)}) == 0
    assert [(act["number"], channel) for act, channel in alerts.undelivered(log.acts())] == [(1, "webhook")]
    clock.now -= MINUTE
    assert log.deliver({"webhook": webhook(web)}) == 1
    assert alerts.undelivered(log.acts()) == []


def test_a_channel_that_is_down_holds_up_no_other(log: AlertLog, post: Inbox) -> None:
    nobody = Webhook(SecretStr("http://127.0.0.1:1/"), ["error"], pause_s=0.0)
    log.record(ALERT, ["webhook", "email"])
    assert log.deliver({"webhook": nobody, "email": by_mail(post)}) == 1
    assert len(post.mails) == 1


class Dies:
    """A channel whose process is killed while it sends."""

    severities = ("error",)

    def send(self, *_: Any) -> None:
        raise KeyboardInterrupt


def test_what_a_killed_process_was_sending_is_sent_when_its_lease_is_over(
    lake: Lake, clock: Clock, log: AlertLog, web: Inbox
) -> None:
    log.record(ALERT, ["webhook"])
    with pytest.raises(KeyboardInterrupt):
        log.deliver({"webhook": Dies()})
    clock.now += LEASE - MINUTE
    assert restarted(lake, clock).deliver({"webhook": webhook(web)}) == 0
    clock.now += MINUTE
    assert restarted(lake, clock).deliver({"webhook": webhook(web)}) == 1
    assert acts(lake) == [(1, "raised"), (1, "sending"), (1, "sending"), (1, "sent")]


def test_an_attempt_that_fails_in_passing_is_repeated_at_once_and_one_that_is_refused_is_not(web: Inbox) -> None:
    seen = []

    class Counting(Webhook):
        def _post(self, message: dict[str, Any]) -> None:
            seen.append(message)
            web.status = 200 if len(seen) == 3 else web.status
            super()._post(message)

    channel = Counting(SecretStr(web.address), ["error"], 2.0, 0.0)
    web.status = 429
    channel.send(1, ALERT)
    assert (len(seen), len(web.posts)) == (3, 1)
    web.status = 404
    with pytest.raises(NotDelivered, match="answered 404: is DPM_ALERT_WEBHOOK_URL right"):
        channel.send(1, ALERT)
    assert len(seen) == 4


def test_the_webhook_gets_text_and_blocks_that_slack_takes() -> None:
    long = replace(ALERT, title="t" * 400, text="<!channel> & more" + "x" * 9000, facts={str(n): n for n in range(20)})
    message = slack_message(7, long)
    header, section, fields, context = message["blocks"]
    assert header["type"] == "header"
    assert len(header["text"]["text"]) == 150
    assert section["text"]["text"].startswith("&lt;!channel&gt; &amp; more")
    assert len(section["text"]["text"]) == 3000
    assert len(fields["fields"]) == 10
    assert "alert 7, missing:predictions, 2026-06-02 12:00:00 UTC" in context["elements"][0]["text"]
    assert message["text"].startswith("[ERROR] ttt")


def test_a_title_with_line_breaks_makes_no_header_of_its_own() -> None:
    message = mail(1, replace(ALERT, title="a\r\nBcc: all@example.com"), "dpm@example.com", ["risk@example.com"])
    assert (message["Subject"], message["Bcc"]) == ("[ERROR] a Bcc: all@example.com", None)


def test_the_mail_server_is_logged_in_to_and_a_wrong_password_is_told_without_it(
    log: AlertLog, post: Inbox, capfd: pytest.CaptureFixture[str]
) -> None:
    by_mail(post).send(1, ALERT)
    assert post.logins == ["dpm"]
    assert "day: 2026-06-02" in post.mails[0].get_payload()
    wrong = replace(by_mail(post), url=SecretStr(post.address.replace(PASSWORD, "another-secret")))
    log.record(ALERT, ["email"])
    assert log.deliver({"email": wrong}) == 0
    (refused,) = [act for act in log.acts() if act["act"] == "not_sent"]
    assert refused["text"] == "the mail server 127.0.0.1 answered 535 (SMTPAuthenticationError)"
    assert "another-secret" not in "".join(capfd.readouterr())
    assert "another-secret" not in repr(wrong)


def test_what_cannot_be_encoded_is_not_sent_and_is_told_without_its_secret(post: Inbox) -> None:
    odd = replace(by_mail(post), url=SecretStr(post.address.replace(PASSWORD, "gehe%C3%AFm")))
    with pytest.raises(NotDelivered) as caught:
        odd.send(1, ALERT)
    assert str(caught.value) == "it cannot be sent as it is (UnicodeEncodeError)"


@pytest.mark.parametrize("down", ["http", "smtp"])
def test_no_secret_is_told_of_a_receiver_that_is_down(
    down: str, log: AlertLog, capfd: pytest.CaptureFixture[str]
) -> None:
    channel = (
        Webhook(SecretStr(f"http://127.0.0.1:1/services/{PASSWORD}"), ["error"], pause_s=0.0)
        if down == "http"
        else Email(SecretStr(f"smtp://dpm:{PASSWORD}@127.0.0.1:1"), "a@b.c", ["d@e.f"], ["error"], 1.0, 0.0)
    )
    log.record(ALERT, ["there"])
    log.deliver({"there": channel})
    (refused,) = [act for act in log.acts() if act["act"] == "not_sent"]
    said = "".join(capfd.readouterr())
    assert "127.0.0.1 did not answer" in refused["text"]
    assert "alert_not_sent" in said
    assert PASSWORD not in said + refused["text"] + repr(channel)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_mail_goes_encrypted_where_the_server_offers_it_and_nowhere_if_its_certificate_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key", "-out", "certificate"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    pem.write_text((tmp_path / "key").read_text() + (tmp_path / "certificate").read_text())
    with mail_server(pem) as inbox:
        with pytest.raises(NotDelivered, match="127.0.0.1 cannot be trusted"):
            by_mail(inbox).send(1, ALERT)
        assert inbox.logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
        by_mail(inbox).send(1, ALERT)
        assert (inbox.encrypted, inbox.logins) == ([True], ["dpm"])


def test_an_alert_that_cannot_be_ordered_or_dated_is_refused() -> None:
    with pytest.raises(ValueError, match="severity 'bad' is none of info, warn, error, critical"):
        replace(ALERT, severity="bad")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no time zone"):
        replace(ALERT, when=datetime(2026, 6, 2))


def test_a_damaged_act_is_an_error_that_names_the_file(lake: Lake, clock: Clock, log: AlertLog) -> None:
    log.record(ALERT, [])
    (path,) = lake.files(MONITORING_ALERTS.name, "000000001")
    path.write_bytes(b"PAR1")
    with pytest.raises(LakeError, match="monitoring/alerts of 000000001"):
        restarted(lake, clock).acts()


def test_only_acts_that_can_still_count_are_read(
    lake: Lake, clock: Clock, log: AlertLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daily_profit_model.monitoring.alert_log._AT_ONCE", 2)
    for day in range(8):
        clock.now = NOON + timedelta(days=day)
        log.record(ALERT, [])
    assert [act["number"] for act in restarted(lake, clock).acts()] == [3, 4, 5, 6, 7, 8]
