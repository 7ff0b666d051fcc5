"""The functions that effects call: what the host structures point to."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING, Any

from ofx_host import abi
from ofx_host.clips import Clip, Image
from ofx_host.ledger import Refusal
from ofx_host.parameters import TYPES, Parameter, ParameterSet
from ofx_host.properties import STORED, PropertySet

if TYPE_CHECKING:
    from collections.abc import Callable

    from ofx_host.host import Host


def structure(host: Host, suite: tuple[str, int], functions: object) -> tuple[int, object]:
    """The address of the structure of a suite, and what must be kept as long as it is used."""
    table = abi.SUITES[suite]
    kept = [_function(host, name, letters, getattr(functions, name)) for name, letters in table]
    array = (ctypes.c_void_p * len(kept))(*(ctypes.cast(each, ctypes.c_void_p).value for each in kept))
    return ctypes.addressof(array), (array, kept)


def _function(host: Host, name: str, letters: str, call: Callable[..., int | None]) -> Any:
    ledger = host.ledger

    def entry(*arguments: Any) -> int:
        before = ledger.begin_call()
        try:
            return call(*(each.decode() if isinstance(each, bytes) else each for each in arguments)) or abi.OK
        except Refusal as refusal:
            if refusal.violation:
                ledger.violate(f"{name}: {refusal.violation}")
            return refusal.status
        except Exception as error:
            ledger.violate(f"{name}{arguments}: {error!r}")
            return abi.FAILED
        finally:
            ledger.end_call(before)

    return abi.prototype(letters)(entry)


class PropertySuite:
    """OfxPropertySuiteV1."""

    def __init__(self, host: Host) -> None:
        self._ledger = host.ledger
        for kind in ("Pointer", "String", "Double", "Int"):
            setattr(self, f"propSet{kind}", self._setter(kind.lower()))
            setattr(self, f"propGet{kind}", self._getter(kind.lower()))
            setattr(self, f"propSet{kind}N", self._setter_of_many(kind.lower()))
            setattr(self, f"propGet{kind}N", self._getter_of_many(kind.lower()))

    def propReset(self, handle: int, name: str) -> None:
        self._ledger.find(handle, PropertySet).reset(name)

    def propGetDimension(self, handle: int, name: str, count: int) -> None:
        abi.store(ctypes.c_int, count, self._ledger.find(handle, PropertySet).dimension(name))

    def _setter(self, kind: Any) -> Callable[..., None]:
        def put(handle: int, name: str, index: int, value: Any) -> None:
            if kind == "string" and value is None:
                raise Refusal(abi.VALUE, f"{name} is set to NULL")
            self._ledger.find(handle, PropertySet).set(name, kind, index, [value])

        return put

    def _getter(self, kind: Any) -> Callable[..., None]:
        def get(handle: int, name: str, index: int, value: int) -> None:
            self._give(kind, value, self._ledger.find(handle, PropertySet).get(name, kind, index, None))

        return get

    def _setter_of_many(self, kind: Any) -> Callable[..., None]:
        def put(handle: int, name: str, count: int, address: int) -> None:
            values = list((STORED[kind] * count).from_address(address)) if count else []
            if kind == "string":
                values = [ctypes.string_at(each).decode() for each in values]
            self._ledger.find(handle, PropertySet).set(name, kind, 0, values, whole=True)

        return put

    def _getter_of_many(self, kind: Any) -> Callable[..., None]:
        def get(handle: int, name: str, count: int, address: int) -> None:
            self._give(kind, address, self._ledger.find(handle, PropertySet).get(name, kind, 0, count))

        return get

    def _give(self, kind: Any, address: int, values: list[Any]) -> None:
        if kind == "string":
            values = [self._ledger.text(value) for value in values]
        abi.store(STORED[kind], address, *values)


class EffectSuite:
    """OfxImageEffectSuiteV1."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ledger = host.ledger

    def getPropertySet(self, effect: int, handle: int) -> None:
        abi.store(ctypes.c_void_p, handle, self._host.effect(effect).properties.handle)

    def getParamSet(self, effect: int, handle: int) -> None:
        abi.store(ctypes.c_void_p, handle, self._host.effect(effect).parameters.handle)

    def clipDefine(self, effect: int, name: str, handle: int) -> None:
        abi.store(ctypes.c_void_p, handle, self._host.effect(effect).define_clip(name).properties.handle)

    def clipGetHandle(self, effect: int, name: str, handle: int, properties: int | None) -> None:
        clips = self._host.effect(effect).clips
        if name not in clips:
            raise Refusal(abi.UNKNOWN, f"no clip {name}")
        abi.store(ctypes.c_void_p, handle, clips[name].handle)
        if properties:
            abi.store(ctypes.c_void_p, properties, clips[name].properties.handle)

    def clipGetPropertySet(self, clip: int, handle: int) -> None:
        abi.store(ctypes.c_void_p, handle, self._ledger.find(clip, Clip).properties.handle)

    def clipGetImage(self, clip: int, time: float, region: int | None, handle: int) -> int | None:
        found = self._ledger.find(clip, Clip)
        frame = getattr(self._ledger.local, "frame", None)
        if frame is None:
            raise Refusal(abi.FAILED, "an image is fetched outside of render")
        image, status = frame.fetch(found.name)
        abi.store(ctypes.c_void_p, handle, image)
        return int(status)

    def clipReleaseImage(self, handle: int) -> None:
        image = self._ledger.find(handle, PropertySet)
        if not isinstance(image, Image):
            raise Refusal(abi.BAD_HANDLE, f"{image} is released, which is no image")
        image.frame.release(image)

    def clipGetRegionOfDefinition(self, clip: int, time: float, bounds: int) -> None:
        self._ledger.find(clip, Clip)
        frame = getattr(self._ledger.local, "frame", None)
        box = frame.source.bounds if frame else (0, 0, *self._host.size)
        abi.store(ctypes.c_double, bounds, *map(float, box))

    def abort(self, effect: int) -> int:
        self._host.effect(effect)
        frame = getattr(self._ledger.local, "frame", None)
        return int(frame.is_aborted()) if frame else 0

    def imageMemoryAlloc(self, effect: int | None, size: int, handle: int) -> None:
        abi.store(ctypes.c_void_p, handle, self._ledger.issue(Memory(size)))

    def imageMemoryFree(self, handle: int) -> None:
        self._ledger.find(handle, Memory)
        self._ledger.drop(handle)

    def imageMemoryLock(self, handle: int, address: int) -> None:
        abi.store(ctypes.c_void_p, address, ctypes.addressof(self._ledger.find(handle, Memory).buffer))

    def imageMemoryUnlock(self, handle: int) -> None:
        self._ledger.find(handle, Memory)


class Memory:
    """Memory that the effect asked for."""

    def __init__(self, size: int) -> None:
        self.buffer = ctypes.create_string_buffer(max(1, size))

    def __str__(self) -> str:
        return f"memory of {len(self.buffer)} bytes"


class ParameterSuite:
    """OfxParameterSuiteV1. Values don't change with time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ledger = host.ledger

    def paramDefine(self, handle: int, kind: str, name: str, properties: int | None) -> None:
        parameters = self._ledger.find(handle, ParameterSet)
        if self._ledger.action != "OfxImageEffectActionDescribeInContext":
            raise Refusal(abi.FAILED, f"parameter {name} is defined outside of describeInContext")
        if kind not in TYPES:
            raise Refusal(abi.UNSUPPORTED, f"parameter {name} is of type {kind}")
        if name in parameters.parameters and not self._host.profile.same_names:
            raise Refusal(abi.EXISTS, f"parameter {name} is defined twice")
        made = Parameter(self._ledger, kind, name, self._host.profile.absent)
        parameters.parameters[name] = made
        if properties:
            abi.store(ctypes.c_void_p, properties, made.properties.handle)

    def paramGetHandle(self, handle: int, name: str, parameter: int, properties: int | None) -> None:
        found = self._ledger.find(handle, ParameterSet).find(name)
        abi.store(ctypes.c_void_p, parameter, found.handle)
        if properties:
            abi.store(ctypes.c_void_p, properties, found.properties.handle)

    def paramSetGetPropertySet(self, handle: int, properties: int) -> None:
        abi.store(ctypes.c_void_p, properties, self._ledger.find(handle, ParameterSet).properties.handle)

    def paramGetPropertySet(self, handle: int, properties: int) -> None:
        abi.store(ctypes.c_void_p, properties, self._ledger.find(handle, Parameter).properties.handle)

    def paramGetValue(self, handle: int, address: int) -> None:
        found = self._ledger.find(handle, Parameter)
        if isinstance(found.value, str):
            abi.store(ctypes.c_void_p, address, self._ledger.text(found.value))
        elif found.value is None:
            raise Refusal(abi.UNSUPPORTED, f"{found} of type {found.kind} has no value to get")
        else:
            abi.store(ctypes.c_double if isinstance(found.value, float) else ctypes.c_int, address, found.value)

    def paramGetValueAtTime(self, handle: int, time: float, address: int) -> None:
        self.paramGetValue(handle, address)

    def paramSetValue(self, handle: int, number: int, real: float) -> None:
        found = self._ledger.find(handle, Parameter)
        if self._ledger.action == "OfxImageEffectActionRender" and not self._host.profile.sets_in_render:
            raise Refusal(abi.FAILED, f"{found} is set in render")
        found.value = found.take(number, real)

    def paramSetValueAtTime(self, handle: int, time: float, number: int, real: float) -> None:
        self.paramSetValue(handle, number, real)

    def paramGetNumKeys(self, handle: int, count: int) -> None:
        self._ledger.find(handle, Parameter)
        abi.store(ctypes.c_uint, count, 0)

    def paramEditBegin(self, handle: int, name: str) -> None:
        self._ledger.find(handle, ParameterSet)

    def paramEditEnd(self, handle: int) -> None:
        self._ledger.find(handle, ParameterSet)

    def _unsupported(self, *arguments: Any) -> int:
        return abi.UNSUPPORTED

    paramGetDerivative = paramGetIntegral = paramGetKeyTime = paramGetKeyIndex = _unsupported
    paramDeleteKey = paramDeleteAllKeys = paramCopy = _unsupported


class ThreadSuite:
    """OfxMultiThreadSuiteV1."""

    def __init__(self, host: Host) -> None:
        self._ledger = host.ledger

    def multiThread(self, function: int, count: int, data: int | None) -> None:
        call = abi.THREAD_FUNCTION(function)
        outer = dict(vars(self._ledger.local))

        def body(index: int) -> None:
            vars(self._ledger.local).update(outer, index=index, texts=[])
            call(index, count, data)

        threads = [threading.Thread(target=body, args=(index,)) for index in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def multiThreadNumCPUs(self, count: int) -> None:
        abi.store(ctypes.c_uint, count, os.cpu_count() or 1)

    def multiThreadIndex(self, index: int) -> None:
        abi.store(ctypes.c_uint, index, getattr(self._ledger.local, "index", 0))

    def multiThreadIsSpawnedThread(self) -> int:
        return int(hasattr(self._ledger.local, "index"))

    def mutexCreate(self, handle: int, count: int) -> None:
        abi.store(ctypes.c_void_p, handle, self._ledger.issue(Mutex()))

    def mutexDestroy(self, handle: int) -> None:
        self._ledger.find(handle, Mutex)
        self._ledger.drop(handle)

    def mutexLock(self, handle: int) -> None:
        self._ledger.find(handle, Mutex).lock.acquire()

    def mutexUnLock(self, handle: int) -> None:
        self._ledger.find(handle, Mutex).lock.release()

    def mutexTryLock(self, handle: int) -> int:
        return abi.OK if self._ledger.find(handle, Mutex).lock.acquire(blocking=False) else abi.FAILED


class Mutex:
    """A mutex that the effect asked for."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def __str__(self) -> str:
        return "a mutex"


class OtherSuites:
    """Messages, memory, the timeline and progress."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ledger = host.ledger
        self._blocks: dict[int, Any] = {}

    def message(self, effect: int | None, kind: str, name: str | None, text: str, first: int, second: int) -> None:
        self._host.messages.append((self._ledger.action, kind, _formatted(text, first, second)))

    def setPersistentMessage(self, effect: int, kind: str, name: str, text: str, first: int, second: int) -> None:
        self.message(effect, kind, name, text, first, second)

    def clearPersistentMessage(self, effect: int) -> None:
        if self._host.profile.hollow_messages:
            raise Refusal(abi.FAILED, "a function is called that this host only pretends to have")

    def memoryAlloc(self, effect: int | None, size: int, address: int) -> None:
        block = ctypes.create_string_buffer(max(1, size))
        self._blocks[ctypes.addressof(block)] = block
        abi.store(ctypes.c_void_p, address, ctypes.addressof(block))

    def memoryFree(self, address: int) -> None:
        del self._blocks[address]

    def getTime(self, effect: int, time: int) -> None:
        abi.store(ctypes.c_double, time, 0.0)

    def gotoTime(self, effect: int, time: float) -> None:
        raise Refusal(abi.FAILED, "the effect moves the playhead")

    def getTimeBounds(self, effect: int, first: int, last: int) -> None:
        abi.store(ctypes.c_double, first, 0.0)
        abi.store(ctypes.c_double, last, 100.0)

    def progressStart(self, effect: int, *labels: str) -> None:
        self._host.effect(effect)

    def progressUpdate(self, effect: int, share: float) -> None:
        self._host.effect(effect)

    def progressEnd(self, effect: int) -> None:
        self._host.effect(effect)


def _formatted(text: str, *values: int) -> str:
    """What printf makes of it; as many arguments as travel in registers."""
    buffer = ctypes.create_string_buffer(4096)
    pointers = (ctypes.c_void_p(value) for value in values)
    ctypes.CDLL(None).snprintf(buffer, ctypes.c_size_t(len(buffer)), text.encode(), *pointers)
    return buffer.value.decode()


FUNCTIONS: dict[str, Callable[[Host], object]] = {
    "OfxPropertySuite": PropertySuite,
    "OfxImageEffectSuite": EffectSuite,
    "OfxParameterSuite": ParameterSuite,
    "OfxMultiThreadSuite": ThreadSuite,
    "OfxMessageSuite": OtherSuites,
    "OfxMemorySuite": OtherSuites,
    "OfxTimeLineSuite": OtherSuites,
    "OfxProgressSuite": OtherSuites,
}
