"""All of Dagster: a folder per layer in the order in which data flows, then automation, resources and launch."""

import warnings

import dagster as dg

# What we use of Dagster's beta surface is pinned to an exact version; a notice per asset tells a user nothing.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
