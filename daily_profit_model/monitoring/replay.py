"""`dpm replay`: served predictions made again from what their rows point at. Needs the lake and the models' folder alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.served import read_checked, read_version, read_whole, versions
from daily_profit_model.modeling.contracts import MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_TRAFFIC
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model
    from daily_profit_model.modeling.replay import Difference

SHOWN = 20
"""Differences of a day that are printed; JSON has them all."""

POINTERS = ("model_version", "model_hash", "snapshot_hash", "calibration_version", "code_version")
"""What a row points at; the rows of a day that share all of them are made again together."""

SERVED_BY = "served_by"
"""Says in which table the calibration is; rows of before there was traffic do not have it."""


@dataclass(frozen=True)
class ReplayedDay:
    """What became of a day's replay."""

    day: str
    predictions: int = 0
    differences: Sequence[Difference] = ()
    served_by: Sequence[str] = ()
    """The code versions in the rows."""
    missing: str | None = None
    """Why the day could not be replayed, in one line; None: it was."""
    replayed_by: str = ""

    @cached_property
    def differing(self) -> int:
        """Predictions of which any cell differs."""
        return len({cell.account_id for cell in self.differences})

    @property
    def holds(self) -> bool:
        return self.missing is None and not self.differences


def replay_days(settings: Settings, days: Sequence[date], *, last: int | None, account: str, as_json: bool) -> int:
    """Replay the given days, or the `last` served ones, and print what came of it. Returns 1 when anything differs or
    is missing, else 0. Raises WrongUse when no days are asked for, or in both ways, LakeError when none was served."""
    if bool(days) == (last is not None):
        raise WrongUse("say which days to replay: either --date YYYY-MM-DD, once or more often, or --days N")
    lake = Lake(settings.lake_root)
    served = lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)
    if not served:
        raise LakeError(f"there are no predictions in {lake.root} to replay: dpm run")
    wanted = [day.isoformat() for day in days] if last is None else served[-last:]
    done: list[ReplayedDay] = []
    for found in replayed_days(lake, settings.models_dir, wanted, account):
        done.append(found)
        if not as_json:
            print("\n".join(told(found)), flush=True)
    if as_json:
        print(json.dumps(as_dict(done), indent=2, default=str))
    else:
        closing = [total(done)] if len(done) > 1 else []
        for line in (*closing, *code_note(done)):
            print(line)
    return 0 if all(found.holds for found in done) else 1


def replayed_days(lake: Lake, models: Path, days: Sequence[str], account: str = "") -> Iterator[ReplayedDay]:
    """Each day replayed, all accounts or one (id or login); bundles are read and checked once."""
    from daily_profit_model.modeling.telemetry import code_version

    loaded: dict[str, Model] = {}
    for day in days:
        try:
            stored = _stored(lake, day, account)
            groups = list(_groups(stored))
            are_parts = bool(account) or len(groups) > 1
            cells = [cell for rows in groups for cell in _replayed(lake, models, loaded, day, rows, are_parts)]
        except (LakeError, ValueError) as error:  # bundles and what does not fit together raise ValueError
            yield ReplayedDay(day, missing=" ".join(str(error).split()), replayed_by=code_version())
            continue
        served_by = sorted(set(stored["code_version"].to_pylist()))
        yield ReplayedDay(day, stored.num_rows, cells, served_by, replayed_by=code_version())


def _stored(lake: Lake, day: str, account: str) -> pa.Table:
    """The served rows in the columns that they were stored with. Raises LakeError when there are none."""
    file = lake.describe(PREDICTIONS_ACCOUNT_DAILY.name, day)
    if file is None:
        known = lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)
        raise LakeError(f"there are no predictions of {day}; there are {known[0]} … {known[-1]}")
    rows = read_whole(file)
    if lacking := [name for name in POINTERS if name not in rows.column_names or rows[name].null_count]:
        raise LakeError(
            f"the predictions of {day} were served before rows had a {lacking[0]}: nothing leads to their inputs"
        )
    if not account:
        return rows
    own = rows.filter(pc.or_(pc.equal(rows["account_id"], account), pc.equal(rows["login"], account)))
    if not own.num_rows:
        raise LakeError(f"account {account} is not among the {rows.num_rows} accounts predicted for {day}")
    return own


def _groups(stored: pa.Table) -> Iterator[pa.Table]:
    """Rows that point at the same things; in a day served at once these are all."""
    names = [name for name in (*POINTERS, SERVED_BY) if name in stored.column_names]
    rows = stored.sort_by([(name, "ascending") for name in names])
    first = 0
    for _, same in groupby(rows.select(names).to_pylist()):
        count = len(list(same))
        yield rows.slice(first, count)
        first += count


def _replayed(
    lake: Lake, models: Path, loaded: dict[str, Model], day: str, stored: pa.Table, is_part: bool
) -> list[Difference]:
    from daily_profit_model.modeling.replay import differences, replay
    from daily_profit_model.modeling.serving import CHAMPION

    points = stored.select(POINTERS).slice(0, 1).to_pylist()[0]
    model = _model(models, loaded, points["model_version"], points["model_hash"])
    snapshot = read_version(lake, FEATURE_SNAPSHOTS.name, day, points["snapshot_hash"])
    served_by = stored[SERVED_BY][0].as_py() if SERVED_BY in stored.column_names else CHAMPION
    if served_by == CHAMPION:
        calibration = _calibration(lake, day, points["calibration_version"])
    else:
        calibration = _calibration_of_shadow(lake, day, points["calibration_version"], served_by)
    accounts = stored["account_id"].combine_chunks() if is_part else None
    return differences(stored, replay(model, snapshot, calibration, points["code_version"], accounts, served_by))


def _model(models: Path, loaded: dict[str, Model], version: str, model_hash: str) -> Model:
    """The bundle of a version, every byte checked. Raises BundleError, or LakeError when it is another's."""
    from daily_profit_model.modeling.bundle import load

    if version not in loaded:
        loaded[version] = load(models / version)
    if loaded[version].hash != model_hash:
        raise LakeError(f"{models / version} is the model {loaded[version].hash[:12]}…, but {model_hash[:12]}… served")
    return loaded[version]


def _calibration(lake: Lake, day: str, wanted: str) -> pa.Table:
    """The stored calibration of a version, whichever of the day's it is. Raises LakeError when none has it."""
    for file in versions(lake, MONITORING_INTERVAL_CALIBRATION.name, day):
        rows = read_checked(file)
        if rows.num_rows and rows["calibration_version"][0].as_py() == wanted:
            return rows
    raise LakeError(f"{MONITORING_INTERVAL_CALIBRATION.name} of {day}: the calibration {wanted} is not in the lake")


def _calibration_of_shadow(lake: Lake, day: str, wanted: str, deployment: str) -> pa.Table:
    """The same of a deployment that served. Raises LakeError when none has it."""
    from daily_profit_model.modeling.traffic import calibration_of

    for file in versions(lake, PREDICTIONS_TRAFFIC.name, day):
        for row in read_checked(file).to_pylist():
            if (row["deployment"], row["calibration_version"]) == (deployment, wanted):
                return calibration_of(row)
    raise LakeError(f"{PREDICTIONS_TRAFFIC.name} of {day}: the calibration {wanted} of {deployment} is not in the lake")


def told(found: ReplayedDay) -> Iterator[str]:
    """A day in lines: how many were replayed, and each cell that differs."""
    if found.missing is not None:
        yield f"{found.day}: cannot be replayed: {found.missing}"
        return
    count = f"{found.predictions:,} prediction{'' if found.predictions == 1 else 's'}"
    yield f"{found.day}: {count}, " + (
        f"{found.differing:,} differ" if found.differences else "all equal to the last bit"
    )
    for cell in found.differences[:SHOWN]:
        yield f"  account {cell.account_id}, {cell.column}: stored {cell.stored!r}, replayed {cell.replayed!r}"
    if len(found.differences) > SHOWN:
        yield f"  … and {len(found.differences) - SHOWN:,} cells more (--json has them all)"


def code_note(done: Sequence[ReplayedDay]) -> Iterator[str]:
    """Which code served, where it is another than the one that replayed; that is no difference by itself."""
    served_by = sorted({code for found in done for code in found.served_by})
    replayed_by = {found.replayed_by for found in done}
    if not set(served_by) <= replayed_by:
        yield f"served by the code {', '.join(served_by)}, replayed by {', '.join(replayed_by)}"


def total(done: Sequence[ReplayedDay]) -> str:
    """The last line over several days."""
    predictions, differing = sum(found.predictions for found in done), sum(found.differing for found in done)
    missing = sum(found.missing is not None for found in done)
    said = f"{len(done)} days, {predictions:,} predictions: "
    if differing or missing:
        return said + f"{differing:,} differ, {missing} days cannot be replayed"
    return said + "all equal to the last bit"


def as_dict(done: Sequence[ReplayedDay]) -> dict[str, Any]:
    """The same for scripts; floats stand in full, so that their bits can be told."""
    return {
        "ok": all(found.holds for found in done),
        "predictions": sum(found.predictions for found in done),
        "equal": sum(found.predictions - found.differing for found in done),
        "days": [
            {
                "date": found.day,
                "predictions": found.predictions,
                "equal": found.predictions - found.differing,
                "missing": found.missing,
                "served_by": list(found.served_by),
                "replayed_by": found.replayed_by,
                "differences": [vars(cell) for cell in found.differences],
            }
            for found in done
        ],
    }
