"""The binary interface of OpenFX as a host sees it: structures, the functions of the suites, status codes.

The functions of the parameter and message suites with variable arguments are implemented here as functions with fixed
ones. That is right where variable arguments travel in the registers of fixed ones: x86-64 (System V and Windows) and
arm64 Linux, but not on macOS arm64, where they lie on the stack.
"""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_double, c_int, c_size_t, c_uint, c_void_p
from typing import Any

OK, FAILED, FATAL, UNKNOWN, MISSING_HOST_FEATURE, UNSUPPORTED, EXISTS, FORMAT, MEMORY = range(9)
BAD_HANDLE, BAD_INDEX, VALUE, REPLY_YES, REPLY_NO, REPLY_DEFAULT = range(9, 15)
IMAGE_FORMAT, GPU_MEMORY, GPU_RENDER_FAILED = range(1000, 1003)

# P a pointer or handle, N a name, I an int, U an unsigned int, D a double, Z a size.
_LETTERS: dict[str, Any] = {"P": c_void_p, "N": c_char_p, "I": c_int, "U": c_uint, "D": c_double, "Z": c_size_t}

_PROPERTY = (
    ("propSetPointer", "PNIP"), ("propSetString", "PNIN"), ("propSetDouble", "PNID"), ("propSetInt", "PNII"),
    ("propSetPointerN", "PNIP"), ("propSetStringN", "PNIP"), ("propSetDoubleN", "PNIP"), ("propSetIntN", "PNIP"),
    ("propGetPointer", "PNIP"), ("propGetString", "PNIP"), ("propGetDouble", "PNIP"), ("propGetInt", "PNIP"),
    ("propGetPointerN", "PNIP"), ("propGetStringN", "PNIP"), ("propGetDoubleN", "PNIP"), ("propGetIntN", "PNIP"),
    ("propReset", "PN"), ("propGetDimension", "PNP"),
)  # fmt: skip
_EFFECT = (
    ("getPropertySet", "PP"), ("getParamSet", "PP"), ("clipDefine", "PNP"), ("clipGetHandle", "PNPP"),
    ("clipGetPropertySet", "PP"), ("clipGetImage", "PDPP"), ("clipReleaseImage", "P"),
    ("clipGetRegionOfDefinition", "PDP"), ("abort", "P"), ("imageMemoryAlloc", "PZP"), ("imageMemoryFree", "P"),
    ("imageMemoryLock", "PP"), ("imageMemoryUnlock", "P"),
)  # fmt: skip
# The variable arguments: where values are read, one pointer (which integer register depends on what comes before it,
# doubles not counted); where they are written, a pointer or int and a double, of which one has been set.
_PARAMETER = (
    ("paramDefine", "PNNP"), ("paramGetHandle", "PNPP"), ("paramSetGetPropertySet", "PP"),
    ("paramGetPropertySet", "PP"), ("paramGetValue", "PP"), ("paramGetValueAtTime", "PDP"),
    ("paramGetDerivative", "PDP"), ("paramGetIntegral", "PDDP"), ("paramSetValue", "PZD"),
    ("paramSetValueAtTime", "PDZD"), ("paramGetNumKeys", "PP"), ("paramGetKeyTime", "PUP"),
    ("paramGetKeyIndex", "PDIP"), ("paramDeleteKey", "PD"), ("paramDeleteAllKeys", "P"), ("paramCopy", "PPDP"),
    ("paramEditBegin", "PN"), ("paramEditEnd", "P"),
)  # fmt: skip
_MULTI_THREAD = (
    ("multiThread", "PUP"), ("multiThreadNumCPUs", "P"), ("multiThreadIndex", "P"), ("multiThreadIsSpawnedThread", ""),
    ("mutexCreate", "PI"), ("mutexDestroy", "P"), ("mutexLock", "P"), ("mutexUnLock", "P"), ("mutexTryLock", "P"),
)  # fmt: skip
_MESSAGE = (("message", "PNNNPP"),)
_PERSISTENT = (("setPersistentMessage", "PNNNPP"), ("clearPersistentMessage", "P"))
_PROGRESS = ("progressUpdate", "PD"), ("progressEnd", "P")

SUITES: dict[tuple[str, int], tuple[tuple[str, str], ...]] = {
    ("OfxPropertySuite", 1): _PROPERTY,
    ("OfxImageEffectSuite", 1): _EFFECT,
    ("OfxParameterSuite", 1): _PARAMETER,
    ("OfxMultiThreadSuite", 1): _MULTI_THREAD,
    ("OfxMessageSuite", 1): _MESSAGE,
    ("OfxMessageSuite", 2): _MESSAGE + _PERSISTENT,
    ("OfxMemorySuite", 1): (("memoryAlloc", "PZP"), ("memoryFree", "P")),
    ("OfxTimeLineSuite", 1): (("getTime", "PP"), ("gotoTime", "PD"), ("getTimeBounds", "PPP")),
    ("OfxProgressSuite", 1): (("progressStart", "PN"), *_PROGRESS),
    ("OfxProgressSuite", 2): (("progressStart", "PNN"), *_PROGRESS),
}
REQUIRED = (("OfxPropertySuite", 1), ("OfxImageEffectSuite", 1), ("OfxParameterSuite", 1))


def prototype(letters: str) -> Any:
    """The type of a function of a suite, which returns a status."""
    return ctypes.CFUNCTYPE(c_int, *(_LETTERS[letter] for letter in letters))


FETCH_SUITE = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_int)
MAIN_ENTRY = ctypes.CFUNCTYPE(c_int, c_char_p, c_void_p, c_void_p, c_void_p)
SET_HOST = ctypes.CFUNCTYPE(None, c_void_p)
THREAD_FUNCTION = ctypes.CFUNCTYPE(None, c_uint, c_uint, c_void_p)


class HostStruct(ctypes.Structure):
    """OfxHost."""

    _fields_ = (("host", c_void_p), ("fetchSuite", FETCH_SUITE))


class PluginStruct(ctypes.Structure):
    """OfxPlugin."""

    _fields_ = (
        ("pluginApi", c_char_p),
        ("apiVersion", c_int),
        ("pluginIdentifier", c_char_p),
        ("pluginVersionMajor", c_uint),
        ("pluginVersionMinor", c_uint),
        ("setHost", SET_HOST),
        ("mainEntry", MAIN_ENTRY),
    )


def store(kind: Any, address: int | None, *values: Any) -> None:
    """Write `values` of a ctypes type to an address of the effect."""
    if not address:
        raise ValueError("an address is NULL")
    (kind * len(values)).from_address(address)[:] = values
