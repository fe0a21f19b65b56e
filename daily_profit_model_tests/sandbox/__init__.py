"""Tests of the simulated firm and its API server."""
