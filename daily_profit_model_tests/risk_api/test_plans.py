"""Plans: what the files say, where 0 means none, and which terms were known when."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from daily_profit_model.risk_api import Decoded, SourceMissing, in_force, read_plans, read_revisions
from daily_profit_model.tables.raw import RAW_PLANS

LATER = datetime(2026, 6, 2, 6, tzinfo=UTC)
PLAN = {
    "planId": "5198",
    "type": "Standard Funded",
    "description": "Standard 200k",
    "startingBalance": "200000.0000000000",
    "profitTargetPct": "10.0000000000",
    "maxTrailingDrawdownPct": "12.0000000000",
    "dailyLossLimitPct": "5.0000000000",
    "profitSharePct": "80.0000000000",
    "leverage": "100.0000000000",
    "minimumRequiredActiveTradingDays": "3",
    "maximumTime": "30",
    "makeDrawdownStatic": "1",
    "liquidateFriday": "0",
    "inactivityPeriod": "30",
    "dailyDrawdownByBalanceEquity": "1",
    "platform": "DXTRADE",
    "broker": "5",
    "inserted": "01/15/2025 10:20:30",
    "updated": "03/01/2025 00:00:00",
    "notUsed": "x",
}


def write(folder: Path, *plans: dict[str, Any], name: str = "plans.csv") -> Path:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, PLAN)
        writer.writeheader()
        writer.writerows(PLAN | plan for plan in plans)
    return folder


def only(decoded: Decoded) -> dict[str, Any]:
    assert decoded.quarantined.num_rows == 0, decoded.quarantined.to_pylist()
    (row,) = decoded.rows.to_pylist()
    return dict(row)


def test_a_plan_becomes_a_row_of_the_contract(tmp_path: Path) -> None:
    decoded = read_plans(write(tmp_path, {}), LATER)
    assert decoded.rows.schema == RAW_PLANS.schema()
    row = only(decoded)
    assert (row["date"], row["plan_id"], row["type"]) == (date(2026, 6, 1), "5198", "Standard Funded")
    assert (row["starting_balance"], row["profit_target_pct"], row["leverage"]) == (200000.0, 10.0, 100.0)
    assert (row["minimum_required_active_trading_days"], row["maximum_time"]) == (3, 30)
    assert (row["liquidate_friday"], row["daily_drawdown_by_balance_equity"]) == (False, True)
    assert row["valid_from"] == row["updated"] == datetime(2025, 3, 1, tzinfo=UTC)
    assert row["inserted"] == datetime(2025, 1, 15, 10, 20, 30, tzinfo=UTC)
    assert row["source_file"] == "plans.csv"
    assert row["price"] is None


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("profitTargetPct", "profit_target_pct"),
        ("dailyLossLimitPct", "daily_loss_limit_pct"),
        ("maximumTime", "maximum_time"),
    ],
)
@pytest.mark.parametrize("zero", ["0", "0.0000000000", ""])
def test_plans_with_0_for_unlimited_are_kept_and_0_means_none(tmp_path: Path, field: str, name: str, zero: str) -> None:
    assert only(read_plans(write(tmp_path, {field: zero}), LATER))[name] is None


def test_0_elsewhere_is_zero(tmp_path: Path) -> None:
    row = only(read_plans(write(tmp_path, {"minimumRequiredActiveTradingDays": "0"}), LATER))
    assert row["minimum_required_active_trading_days"] == 0


@pytest.mark.parametrize(("static", "is_relative"), [("1", False), ("0", True), ("", None)])
def test_a_static_drawdown_is_not_relative_so_that_the_flag_is_not_inverted(
    tmp_path: Path, static: str, is_relative: bool | None
) -> None:
    assert (
        only(read_plans(write(tmp_path, {"makeDrawdownStatic": static}), LATER))["is_drawdown_relative"] is is_relative
    )


def test_terms_entered_later_never_reach_the_past_L4(tmp_path: Path) -> None:
    write(tmp_path, {"dailyLossLimitPct": "5", "updated": "03/01/2025 00:00:00"}, name="a.csv")
    write(tmp_path, {"dailyLossLimitPct": "4", "updated": "06/10/2025 12:00:00"}, name="b.csv")
    revisions = read_revisions(tmp_path)

    def limit(at: str) -> float:
        return float(only(in_force(revisions, datetime.fromisoformat(f"{at}Z")))["daily_loss_limit_pct"])

    assert limit("2025-03-01T00:00:00") == limit("2025-06-10T11:59:59") == 5.0
    assert limit("2025-06-10T12:00:00") == limit("2026-06-10T00:00:00") == 4.0


def test_a_plan_with_later_terms_only_is_absent_and_counted_L4(tmp_path: Path) -> None:
    write(tmp_path, {"updated": "03/01/2027 00:00:00"}, {"planId": "2"})
    decoded = read_plans(tmp_path, LATER)
    assert only(decoded)["plan_id"] == "2"
    assert (decoded.late, decoded.absent, decoded.received) == (1, 1, 2)


def test_without_an_update_terms_hold_from_their_insertion(tmp_path: Path) -> None:
    assert only(read_plans(write(tmp_path, {"updated": ""}), LATER))["valid_from"].date() == date(2025, 1, 15)


def test_the_same_file_twice_is_read_once_and_the_same_row_counts_once(tmp_path: Path) -> None:
    for name in ("plans.csv", "plans (1).csv"):
        write(tmp_path, {}, name=name)
    assert read_plans(tmp_path, LATER).received == 1
    write(tmp_path, {}, {"planId": "2"}, name="z.csv")
    decoded = read_plans(tmp_path, LATER)
    assert decoded.rows["plan_id"].to_pylist() == ["2", "5198"]
    assert (decoded.received, decoded.repeated) == (3, 1)


def test_category_variants_become_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"platform": " DXtrade", "type": " Standard  Funded "},
        {"planId": "2", "platform": "DXTRADE"},
    )
    rows = read_plans(tmp_path, LATER).rows
    assert set(rows["platform"].to_pylist()) == {"DXTRADE"}
    assert set(rows["type"].to_pylist()) == {"Standard Funded"}


def test_sentinels_and_absurd_balances_are_kept_for_the_rules_to_judge(tmp_path: Path) -> None:
    row = only(read_plans(write(tmp_path, {"startingBalance": "1.0", "inactivityPeriod": "999"}), LATER))
    assert (row["starting_balance"], row["inactivity_period"]) == (1.0, 999)


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"planId": " "}, "missing_required", "planId=null"),
        ({"startingBalance": "lots"}, "unreadable_number", "startingBalance=lots"),
        ({"startingBalance": "inf"}, "unreadable_number", "startingBalance=inf"),
        ({"updated": "31/12/2025 00:00:00"}, "unreadable_date", "updated=31/12/2025 00:00:00"),
        ({"updated": "", "inserted": ""}, "missing_required", "updated=null, inserted=null"),
    ],
)
def test_a_bad_plan_is_quarantined_with_its_reason(
    tmp_path: Path, change: dict[str, str], reason: str, detail: str
) -> None:
    decoded = read_plans(write(tmp_path, change, change, {"planId": "2"}), LATER)
    assert decoded.rows["plan_id"].to_pylist() == ["2"]
    found = decoded.quarantined.to_pylist()
    assert [(row["reason"], row["detail"]) for row in found] == [(reason, detail)] * 2
    assert [row["occurrence"] for row in found] == [0, 1]
    assert decoded.received == 3


def test_a_line_of_another_length_is_quarantined(tmp_path: Path) -> None:
    write(tmp_path, {})
    with (tmp_path / "plans.csv").open("a") as file:
        file.write("77,Standard\n")
    assert read_plans(tmp_path, LATER).quarantined["reason"].to_pylist() == ["wrong_field_count"]


def test_an_optional_value_that_cannot_be_read_is_null_and_counted(tmp_path: Path) -> None:
    decoded = read_plans(write(tmp_path, {"leverage": "1:100", "liquidateFriday": "2"}), LATER)
    assert (only(decoded)["leverage"], only(decoded)["liquidate_friday"]) == (None, None)
    assert decoded.unreadable == {"leverage": 1, "liquidateFriday": 1}


def test_two_contents_of_one_revision_keep_one_whatever_the_files_are_called(tmp_path: Path) -> None:
    kept = []
    for names in (("a.csv", "b.csv"), ("b.csv", "a.csv")):
        write(tmp_path, {"leverage": "30"}, name=names[0])
        write(tmp_path, {"leverage": "60"}, name=names[1])
        decoded = read_plans(tmp_path, LATER)
        assert decoded.quarantined["reason"].to_pylist() == ["duplicate_key"]
        kept.append(decoded.rows["leverage"].to_pylist())
    assert kept[0] == kept[1]


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_no_plan_file_is_one_line_that_names_the_variable(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceMissing, match="DPM_PLANS_DIR") as missing:
        read_plans(tmp_path / folder, LATER)
    assert "\n" not in str(missing.value)


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceMissing, match=r"other\.csv has no column planId"):
        read_plans(tmp_path, LATER)
