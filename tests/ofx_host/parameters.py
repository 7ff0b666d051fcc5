"""Parameters: what the effect defines, and the values of an instance."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ofx_host import abi
from ofx_host.ledger import Refusal
from ofx_host.properties import PropertySet, many

if TYPE_CHECKING:
    from collections.abc import Collection

    from ofx_host.ledger import Ledger

_EVERY = {"Label": "", "ShortLabel": "", "LongLabel": ""}
_ALL: dict[str, Any] = {"Hint": "", "ScriptName": "", "Parent": "", "Secret": 0, "Enabled": 1, "DataPtr": None}
_VALUE: dict[str, Any] = {
    "Animates": 1, "IsAnimating": 0, "IsAutoKeying": 0, "Persistant": 1, "EvaluateOnChange": 1, "CanUndo": 1,
    "PluginMayWrite": 0, "CacheInvalidation": "OfxParamInvalidateValueChange",
}  # fmt: skip
# As Resolve does where an effect sets no range: none to speak of.
_INTEGER = {"Default": 0, "Min": -(2**31), "Max": 2**31 - 1, "DisplayMin": 0, "DisplayMax": 0}
_DOUBLE = {"Default": 0.0, "Min": -1.0, "Max": 1.0, "DisplayMin": -1.0, "DisplayMax": 1.0, "Increment": 1.0,
           "Digits": 2, "DoubleType": "OfxParamDoubleTypePlain", "ShowTimeMarker": 0}  # fmt: skip
_STRING = {"Default": "", "StringMode": "OfxParamStringIsSingleLine", "StringFilePathExists": 1}

TYPES: dict[str, dict[str, Any]] = {
    "OfxParamTypeInteger": _VALUE | _INTEGER,
    "OfxParamTypeDouble": _VALUE | _DOUBLE,
    "OfxParamTypeBoolean": _VALUE | {"Default": 0},
    "OfxParamTypeChoice": _VALUE | {"Default": 0, "ChoiceOption": many("string")},
    "OfxParamTypeString": _VALUE | _STRING,
    "OfxParamTypePushButton": {},
    "OfxParamTypeGroup": {"GroupOpen": 1},
    "OfxParamTypePage": {"PageChild": many("string")},
}
_FIXED = {"OfxPropType", "OfxPropName", "OfxParamPropType", "OfxParamPropIsAnimating", "OfxParamPropIsAutoKeying"}
_OF_INSTANCES = {
    f"OfxParamProp{name}"
    for name in ("Hint", "Secret", "Enabled", "Min", "Max", "DisplayMin", "DisplayMax", "ChoiceOption", "DataPtr",
                 "EvaluateOnChange", "Default")
} | {"OfxPropLabel", "OfxPropShortLabel", "OfxPropLongLabel"}  # fmt: skip
_NUMBERS = {"OfxParamTypeInteger": int, "OfxParamTypeBoolean": int, "OfxParamTypeChoice": int,
            "OfxParamTypeDouble": float}  # fmt: skip


class Parameter:
    """A parameter of a descriptor or an instance."""

    def __init__(self, ledger: Ledger, kind: str, name: str, absent: Collection[str]) -> None:
        self.kind, self.name = kind, name
        values: dict[str, Any] = {"OfxPropType": "OfxTypeParameter", "OfxPropName": name, "OfxParamPropType": kind}
        values |= {f"OfxProp{key}": name for key in _EVERY}
        values |= {f"OfxParamProp{key}": value for key, value in (_ALL | TYPES[kind]).items()}
        values["OfxParamPropScriptName"] = name
        values = {key: value for key, value in values.items() if key not in absent}
        self.properties = PropertySet(ledger, f"parameter {name}", values, writable=values.keys() - _FIXED)
        self.handle = ledger.issue(self)
        self.value: Any = None

    def __str__(self) -> str:
        return f"parameter {self.name}"

    def copy(self, ledger: Ledger, absent: Collection[str]) -> Parameter:
        """One of an instance, with its default value."""
        made = Parameter(ledger, self.kind, self.name, absent)
        for name, each in self.properties.properties.items():
            made.properties.properties[name].values = list(each.values)
        made.properties.writable = _OF_INSTANCES
        default = self.properties.properties.get("OfxParamPropDefault")
        made.value = default.values[0] if default else None
        return made

    def take(self, number: int, real: float) -> Any:
        """The value that has been passed to paramSetValue as an integer or pointer, or as a double."""
        if self.kind in _NUMBERS:
            return real if _NUMBERS[self.kind] is float else _signed(number)
        if self.kind == "OfxParamTypeString":
            return _string(number)
        raise Refusal(abi.UNSUPPORTED, f"{self} of type {self.kind} has no value to set")


class ParameterSet:
    """The parameters of a descriptor or an instance, in the order of their definition."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self.parameters: dict[str, Parameter] = {}
        self.properties = PropertySet(
            ledger, f"parameters of {name}", {"OfxPluginPropParamPageOrder": many("string")}, writable=None
        )
        self.handle = ledger.issue(self)

    def __str__(self) -> str:
        return f"parameters of {self.name}"

    def find(self, name: str) -> Parameter:
        if name not in self.parameters:
            raise Refusal(abi.UNKNOWN, f"no parameter {name}")
        return self.parameters[name]


def _signed(number: int) -> int:
    """The C int in the lower half of a register."""
    number &= 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def _string(address: int) -> str:
    if not address:
        raise Refusal(abi.VALUE, "a string to set is NULL")
    return ctypes.string_at(address).decode()
