"""From a training frame to calibrated, explained predictions: one model version from birth to promotion.

Here: splits, boosters, intervals, explanation, evaluation, the bundle and the registry's decisions, as
plain functions over Arrow tables. Not here: where tables are stored, when things run, what features mean.
"""
