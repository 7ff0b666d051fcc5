"""How the routes read what a client sends, and the one form of JSON that they answer in."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

_DEEPEST = 32
"""How far what a client sends may be nested; all that takes it apart later would stop somewhere too."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def reply(data: object, status: int = 200) -> Response:
    """An answer in JSON. Raises ValueError for numbers that JSON lacks."""
    return Response(encode(data), status, media_type="application/json")


def error(status: int, code: str, message: str, hint: str) -> Response:
    """An answer that says what is wrong, and what to do."""
    return reply({"error": {"code": code, "message": message, "hint": hint}}, status)


def no_job() -> Response:
    """There is none of that id."""
    return error(404, "not-found", "there is no such job", "Ask for the list of jobs again.")


def encode(data: object) -> bytes:
    """JSON in ASCII, so that half a character in a name can be sent, too."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii")


async def sent(request: Request) -> object:
    """The JSON in the body. Raises HTTPException for what isn't strict JSON in UTF-8."""
    try:
        data = json.loads((await request.body()).decode(), parse_constant=_no_constant, parse_float=_finite)
        _check_depth(data, _DEEPEST)
        # Half a surrogate pair is JSON, but no text that can be stored or sent.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as fault:
        raise HTTPException(400, f"the body is not JSON in UTF-8: {str(fault)[:100]}") from fault
    return data


def valid_id(text: str) -> str:
    """`text` if an id can look like that; HTTPException 404 if not."""
    if not _ID.fullmatch(text):
        raise HTTPException(404, "there is nothing of that id")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is out of range")
    return number


def _check_depth(data: object, most: int) -> None:
    if not most:
        raise ValueError("it is nested too deeply")
    for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        if isinstance(part, dict | list):
            _check_depth(part, most - 1)
