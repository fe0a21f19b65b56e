"""Which parameters of the boosters forecast best on days that walk forward through the history.

Here: the search: a tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS 24) that drops trials which are worse
than the median of the ones before. What is tried is `tuning_space`'s, what a trial costs `tuning_folds`', where it is
kept `studies`'. A search sees training and validation days alone, so that the days that calibrate and judge a version
have not chosen its parameters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from daily_profit_model.cache import source_version
from daily_profit_model.cache.key import digest_of
from daily_profit_model.modeling.contracts import MODELS_TUNING
from daily_profit_model.modeling.design import Design
from daily_profit_model.modeling.evaluation import Interval, sure_skill
from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.modeling.studies import StudyStore, opened
from daily_profit_model.modeling.training import TrainSettings
from daily_profit_model.modeling.tuning_folds import PreparedFold, daily_losses, folds_of, prepared
from daily_profit_model.modeling.tuning_space import SPACE, Parameters, distributions, parameters_of, with_parameters

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

RANDOM_TRIALS = 10
"""Trials before the estimator has enough to go by."""
TRIALS_BEFORE_PRUNING = 5
"""Trials whose median a trial is measured by, at least."""


@dataclass(frozen=True)
class Trial:
    """One set of parameters and how it did."""

    number: int
    """From 0, among the trials that were finished: those that a stop cut off do not count. 0 are the defaults."""
    state: Literal["complete", "pruned"]
    value: float
    """USD: mean over the days of the folds done of a day's mean pinball loss at 5, 50 and 95 %, uncalibrated."""
    folds: int
    parameters: Parameters
    seed: int
    """Of its draw."""
    losses: tuple[float, ...]
    """USD, a value a day that was tried; `value` is their mean."""


@dataclass(frozen=True)
class Tuned:
    """The trials of a search, and of how many folds a complete one consists."""

    study: str
    trials: tuple[Trial, ...]
    folds: int

    @property
    def best(self) -> Trial:
        """The complete trial of least loss; on a tie the earliest."""
        return best_of(self.trials)

    @property
    def defaults(self) -> Trial:
        """The trial of the parameters that serve without tuning."""
        return self.trials[0]

    def gain(self, trial: Trial) -> Interval:
        """1 - loss of a complete trial / that of the defaults, with a 99 % interval over the same days."""
        return sure_skill(np.array(trial.losses), np.array(self.defaults.losses))

    @property
    def chosen(self) -> Trial:
        """The best trial if it is surely better than the defaults, else these.

        The best of many is best by luck as well: of 20 trials on the tests' panel (150 accounts, 110 days) the best
        gained 0.7 % on the folds and lost 1.4 % on the days that judge.
        """
        return self.best if self.gain(self.best)[1] > 0 else self.defaults


Progress = Callable[[Trial, Trial], None]
"""Told of each trial when it is done, and of the best one so far."""


def tune(
    design: Design,
    settings: TrainSettings,
    *,
    study: str = "tuning",
    trials: int,
    storage: StudyStore | None = None,
    seed: int,
    progress: Progress = lambda _done, _best: None,
) -> Tuned:
    """The first `trials` trials of the study, of which the ones that are missing are made now, one after the other.

    Each draw depends on `seed` and on the finished trials before it alone, so a search that was stopped and goes on
    makes the trials that it would have made in one go. `study` names what is kept in `storage` (see `study_name`).

    Raises ValueError when there are too few days, or when `settings` lie outside of the space; StudyInUse.
    """
    import optuna

    defaults = parameters_of(settings)
    steps = folds_of(design, settings)
    folds: list[PreparedFold] = []
    with opened(storage, study) as kept:
        kept.pruner = optuna.pruners.MedianPruner(n_startup_trials=TRIALS_BEFORE_PRUNING, n_warmup_steps=0)
        for left in kept.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            kept.tell(left.number, state=optuna.trial.TrialState.FAIL)
        while len(done := _finished(kept, seed)) < trials:
            folds = folds or [prepared(design, settings, step) for step in steps]
            kept.sampler = _sampler(seed + len(done))
            if not done and not kept.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
                kept.enqueue_trial(dict(defaults))
            _try(kept, folds, settings)
            told = _finished(kept, seed)
            progress(told[-1], best_of(told))
    return Tuned(study, tuple(done[:trials]), len(steps))


def study_name(design_digest: str, settings: TrainSettings, seed: int) -> str:
    """A name that changes with all that decides a trial: data, code, fixed settings, space and seed.

    `design_digest`: the digest of the design's cache key.
    """
    import lightgbm
    import optuna

    fixed = asdict(settings)
    for name in ("threads", "workers"):  # the machine's, they change no result
        del fixed["booster"][name]
    parts = {
        "design": design_digest,
        "settings": json.loads(json.dumps(fixed)),
        "space": {name: asdict(found) for name, found in SPACE.items()},
        "seed": seed,
        "code": source_version(__name__, lightgbm.__version__, optuna.__version__, np.__version__),
    }
    return f"net_profit-{settings.objective}-{digest_of(parts)[:16]}"


def best_of(trials: Iterable[Trial]) -> Trial:
    """The complete trial of least loss; on a tie the earliest."""
    return min((trial for trial in trials if trial.state == "complete"), key=lambda trial: (trial.value, trial.number))


def tuning_table(tuned: Tuned, design: Design, settings: TrainSettings) -> pa.Table:
    """MODELS_TUNING of one search."""
    rows = [
        {
            "cutoff": design.cutoff,
            "objective": settings.objective,
            "trial": trial.number,
            "state": trial.state,
            "value": trial.value,
            "folds_done": trial.folds,
            "folds": tuned.folds,
            "parameters": json.dumps(dict(trial.parameters), sort_keys=True),
            "gain": tuned.gain(trial)[0] if trial.state == "complete" else None,
            "gain_lower": tuned.gain(trial)[1] if trial.state == "complete" else None,
            "is_best": trial == tuned.best,
            "is_chosen": trial == tuned.chosen,
            "seed": trial.seed,
            "study": tuned.study,
        }
        for trial in tuned.trials
    ]
    return pa.Table.from_pylist(rows, schema=MODELS_TUNING.schema())


def importances(tuned: Tuned) -> dict[str, float]:
    """How much each parameter decides whether a trial is among the best tenth, shares that add up to 1.

    PED-ANOVA (Watanabe et al. 2023, IJCAI) over the complete trials; empty when they are too few to tell.
    """
    import optuna

    complete = [trial for trial in tuned.trials if trial.state == "complete"]
    if len(complete) <= RANDOM_TRIALS:
        return {}
    with opened(None, tuned.study) as study:
        for trial in complete:
            study.add_trial(
                optuna.trial.create_trial(
                    params=dict(trial.parameters), distributions=distributions(), value=trial.value
                )
            )
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    return {name: float(share) for name, share in found.items()}


def _try(study: Study, folds: list[PreparedFold], settings: TrainSettings) -> None:
    """One more trial, stopped after a fold when it is worse than the median of the trials before it."""
    import optuna

    trial = study.ask(distributions())
    chosen = with_parameters(settings, trial.params)
    losses: list[Floats] = []
    for number, fold in enumerate(folds):
        losses.append(daily_losses(fold, chosen))
        trial.set_user_attr(_LOSSES, np.concatenate(losses).tolist())
        trial.report(float(np.concatenate(losses).mean()), number)
        if number + 1 < len(folds) and trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return
    study.tell(trial, float(np.concatenate(losses).mean()))


def _finished(study: Study, seed: int) -> list[Trial]:
    from optuna.trial import TrialState

    found = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return list(_told(sorted(found, key=lambda trial: trial.number), seed))


def _told(found: Iterable[FrozenTrial], seed: int) -> Iterator[Trial]:
    from optuna.trial import TrialState

    for number, trial in enumerate(found):
        yield Trial(
            number=number,
            state="complete" if trial.state == TrialState.COMPLETE else "pruned",
            value=float(trial.value if trial.value is not None else np.nan),
            folds=len(trial.intermediate_values),
            parameters=dict(trial.params),
            seed=seed + number,
            losses=tuple(trial.user_attrs[_LOSSES]),
        )


_LOSSES = "daily_losses"
"""What a study's trial keeps them under."""


def _sampler(seed: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, multivariate=True, constant_liar=False, seed=seed)
