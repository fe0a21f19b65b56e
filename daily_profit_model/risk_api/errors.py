"""What can go wrong when raw data is fetched, each error one line: what, where, what to do.

Only the exceptions; when they are raised is decided where they are raised.
"""

from __future__ import annotations


class RiskApiError(Exception):
    """Raw data could not be had. The message is one line and never holds the API key."""


class RequestRefused(RiskApiError):
    """The service refused a request (a redirect, or a 4xx other than 429): asking again is no use."""


class ServiceUnreachable(RiskApiError):
    """No connection to the service, or no answer in time, after every attempt."""


class ServiceFailing(RiskApiError):
    """The service answered every attempt with a failure (5xx, 429, a broken or error answer), or has been failing
    for so long that it is not asked any more (circuit breaker)."""


class IncompleteFetch(RiskApiError):
    """All pages came, but not every row: the distinct keys never equalled a stable total."""


class SourceMissing(RiskApiError):
    """A folder, file or setting that raw data is read from is not there."""
