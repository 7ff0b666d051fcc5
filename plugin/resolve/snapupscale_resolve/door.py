"""The one way to call the editor: it knows how an answer looks that is none, and asks for facts once more."""

import math
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, TypeVar

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")


def ask(method: "Callable[P, T]", *args: "P.args", **kwargs: "P.kwargs") -> Any:
    """The answer as it is. None where this version of the editor lacks the method, whose place then holds None."""
    call = method  # type: Any
    if call is None:
        return None
    try:
        return call(*args, **kwargs)
    except Exception:  # a call over a connection that is gone can raise anything; the answer is the same
        return None


def can(thing: object, name: str) -> bool:
    """Whether the editor's object has a method. `hasattr` is true of every name."""
    return name in dir(thing)


def agreed(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> bool:
    """Whether the answer is True: an error told in a string is not."""
    return ask(method, *args, **kwargs) is True


def truth(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> Optional[bool]:
    """True or False; None where there is no answer."""
    answer = ask(method, *args, **kwargs)
    if isinstance(answer, (int, float)):
        return bool(answer)
    return None


def text(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> str:
    """A string or a number as text that can be sent; empty where there is no answer."""
    return as_text(_insist(method, *args, **kwargs))


def number(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> Optional[float]:
    """A finite number; whole ones as int."""
    return as_number(_insist(method, *args, **kwargs))


def whole(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> Optional[int]:
    """A whole number."""
    value = as_number(_insist(method, *args, **kwargs))
    return value if isinstance(value, int) else None


def thing(method: "Callable[P, T]", *args: "P.args", **kwargs: "P.kwargs") -> "Optional[T]":
    """One of the editor's objects. An error told in a string is none."""
    answer = _insist(method, *args, **kwargs)
    return None if isinstance(answer, (bool, int, float, str, list, dict)) else answer


def things(method: "Callable[P, List[T]]", *args: "P.args", **kwargs: "P.kwargs") -> "List[T]":
    """A list of the editor's objects; some versions number them in a dict."""
    answer = _insist(method, *args, **kwargs)
    if isinstance(answer, dict):
        answer = [answer[key] for key in sorted(answer, key=_order)]
    if not isinstance(answer, (list, tuple)):
        return []
    return [each for each in answer if each is not None and not isinstance(each, (bool, int, float, str))]


def facts(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> Dict[Any, Any]:
    """A dict, under the names or numbers that the editor uses."""
    answer = _insist(method, *args, **kwargs)
    return answer if isinstance(answer, dict) else {}


def as_text(value: object) -> str:
    """A string or a number as text without NUL or halves of characters, which can't be sent; else empty."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def as_number(value: object) -> Optional[float]:
    """A finite number, whole ones as int; None for all else."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _insist(method: "Callable[P, object]", *args: "P.args", **kwargs: "P.kwargs") -> Any:
    """The answer to a question, which is asked again where it is empty: single calls fail while the editor saves."""
    answer = ask(method, *args, **kwargs)
    # The editor's own objects are neither compared nor judged true or false: that may be a call.
    empty = isinstance(answer, (str, list, tuple, dict)) and not answer
    if answer is None or answer is False or empty:
        return ask(method, *args, **kwargs)
    return answer


def _order(key: object) -> float:
    found = as_number(key)
    return found if found is not None else math.inf
