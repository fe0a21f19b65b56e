"""What goes in and out of the service: a request, and a response with what the connection does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson


@dataclass(frozen=True)
class Request:
    """Method, path with query string, the `apiKey` header, and the body."""

    method: str
    target: str
    api_key: str | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """HTTP status, JSON body, and headers beyond the usual ones."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    """Seconds before the answer is sent."""
    breaks_after: int | None = None
    """Bytes of the body after which the connection ends, though more are announced."""
    is_reset: bool = False
    """The connection then ends by a reset, not by an orderly close."""


def failure(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as the service words it."""
    return Response(status, orjson.dumps({"Status": "fail", "Error": message}), headers or {})
