"""Calendar features of D+1, the day that is predicted. Known for certain, whatever happens."""

from __future__ import annotations

from daily_profit_model.features.feature import Feature, Kind

_NEXT = "(date + 1)"
_MONTH_END = f"last_day({_NEXT})"


def _calendar(name: str, kind: Kind, sql: str, description: str, unit: str | None = None) -> Feature:
    return Feature(name, "calendar", kind, sql, f"{description} (of D+1)", ("date",), unit)


CALENDAR = (
    _calendar("day_of_week", "count", f"isodow({_NEXT})", "Day of the week, 1 Monday to 7 Sunday"),
    _calendar("is_weekend", "flag", f"isodow({_NEXT}) >= 6", "Saturday or Sunday"),
    _calendar("week_of_month", "count", f"(day({_NEXT}) - 1) // 7 + 1", "Week of the month, 1 to 5"),
    _calendar("month", "count", f"month({_NEXT})", "Month"),
    _calendar("quarter", "count", f"quarter({_NEXT})", "Quarter"),
    _calendar("is_month_start", "flag", f"day({_NEXT}) = 1", "First day of a month"),
    _calendar("is_month_end", "flag", f"{_NEXT} = {_MONTH_END}", "Last day of a month"),
    _calendar("is_quarter_start", "flag", f"day({_NEXT}) = 1 and month({_NEXT}) % 3 = 1", "First day of a quarter"),
    _calendar("is_quarter_end", "flag", f"{_NEXT} = {_MONTH_END} and month({_NEXT}) % 3 = 0", "Last day of a quarter"),
    _calendar(
        "days_to_month_end", "count", f"date_diff('day', {_NEXT}, {_MONTH_END})", "Days to the end of the month", "days"
    ),
)
