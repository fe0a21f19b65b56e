"""Measurements behind the numbers in the docs; run by hand, never by the test suite."""
