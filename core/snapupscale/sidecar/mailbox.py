"""The way to the sidecar for menu scripts that can neither open a socket nor write a file: letters through the editor's
preferences, answered by files that the scripts load."""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
import sys
import threading
import time
from collections import OrderedDict
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snapupscale import __version__, files, protocol
from snapupscale.errors import OutputError
from snapupscale.sidecar.mailbox_answers import INTERNAL, answer
from snapupscale.sidecar.mailbox_letters import MOST_PREFS, NUMBER, letters, lua
from snapupscale.sidecar.mailbox_places import Place, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from snapupscale.sidecar.lifetime import Lifetime
    from snapupscale.sidecar.mailbox_answers import Screen, Service
    from snapupscale.sidecar.mailbox_letters import Letter

HELLO = "sidecar.lua"
"""The file of the inbox that tells a script which sidecar runs."""
_ANSWER = "inbox-{}.lua"
_LOOK_SECONDS, _IDLE_LOOK_SECONDS = 0.25, 1.0
_AWAKE_SECONDS = 60.0
_PLACES_SECONDS = 15.0
_BEAT_SECONDS = 5.0
_PATIENCE_SECONDS = 30.0
"""After which a script that sees no beat has gone."""
_MOST_CLIENTS = 256
_ASIDE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_log = logging.getLogger(__name__)


class Box:
    """The letter boxes of one Resolve: the preferences of its profiles and the inbox of its scripts. `run` names this
    sidecar."""

    def __init__(self, inbox: Path, run: str) -> None:
        self._inbox = inbox
        self._run = run
        self._seen: dict[Path, object] = {}
        """The preferences, each with what it looked like when it was read last."""
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._beat = 0
        self.client = ""
        """Who is served."""

    def open(self) -> None:
        """Say that the sidecar is there, and forget what an earlier one has left. Raises OutputError."""
        if self._inbox.is_symlink():
            raise OutputError(f"{self._inbox} is a link")
        files.make_folder(self._inbox)
        self._inbox.chmod(0o700)
        files.remove_leftovers(self._inbox)
        self._clear()
        self.beat("")

    def watch(self, prefs: Path) -> None:
        """Look for letters in the preferences of a profile, too."""
        self._seen.setdefault(prefs, None)

    def beat(self, client: str) -> None:
        """Show the script that is served, `client`, that it does not wait for nothing, and show others that they do.
        Raises OutputError."""
        self._beat += 1
        hello: dict[str, str | int] = {
            "mailbox": NUMBER,
            "protocol": protocol.NUMBER,
            "oldest": protocol.OLDEST,
            "version": __version__,
            "run": self._run,
            "client": client,
            "beat": self._beat,
        }
        files.write_text(self._inbox / HELLO, lua(hello))
        self.client = client

    def letter(self) -> Letter | None:
        """The request that has come since the last call, if any: the next one of a script that speaks to this sidecar.
        What was read before, and what was meant for an earlier sidecar, is none."""
        for prefs in self._seen:
            content = self._new_content(prefs)
            for letter in letters(content) if content else ():
                if letter.run == self._run and letter.number > self._numbers.get(letter.client, 0):
                    self._numbers[letter.client] = letter.number
                    self._numbers.move_to_end(letter.client)
                    if len(self._numbers) > _MOST_CLIENTS:
                        self._numbers.popitem(last=False)
                    return letter
        return None

    def reply(self, letter: Letter, data: dict[str, Any]) -> None:
        """Put the answer to `letter` into the inbox, in place of the one before. Raises OutputError."""
        self._clear()
        fields: dict[str, str | int] = {
            "mailbox": NUMBER,
            "run": self._run,
            "client": letter.client,
            "number": letter.number,
            "body": _body(data),
        }
        files.write_text(self._inbox / _ANSWER.format(letter.number), lua(fields))

    def close(self) -> None:
        """Take away what shows that a sidecar is there."""
        self._clear()
        with suppress(OSError):
            (self._inbox / HELLO).unlink(missing_ok=True)
            self._inbox.rmdir()

    def _new_content(self, prefs: Path) -> bytes | None:
        try:
            about = prefs.stat()
            if (about.st_ino, about.st_mtime_ns, about.st_size) == self._seen[prefs]:
                return None
            handle = os.open(prefs, os.O_RDONLY | _ASIDE)
            try:
                about = os.fstat(handle)
                self._seen[prefs] = about.st_ino, about.st_mtime_ns, about.st_size
                return _all(handle) if _is_own(about) and about.st_size <= MOST_PREFS else None
            finally:
                os.close(handle)
        except OSError:
            return None

    def _clear(self) -> None:
        for path in self._inbox.glob(_ANSWER.format("*")):
            # On Windows a script may have it open; its number tells that it is old.
            with suppress(OSError):
                path.unlink()


@dataclass(kw_only=True)
class _Waiting:
    """A letter that is not answered yet, when its script was last shown that somebody is there, and who works on it:
    the look at a source may take long, and the script must see beats meanwhile."""

    letter: Letter
    beaten: float
    worker: threading.Thread | None = None
    data: dict[str, Any] | None = None

    def answered(self, service: Service, screen: Screen) -> dict[str, Any] | None:
        """The answer, if there is one by now."""
        if self.data is not None:
            return self.data
        if self.worker is None:

            def work() -> None:
                self.data = answer(self.letter, service, screen)

            self.worker = threading.Thread(target=work, name="mailbox answer", daemon=True)
            self.worker.start()
        self.worker.join(_LOOK_SECONDS)
        if not self.worker.is_alive():
            self.worker = None
        return self.data


class Mailbox:
    """Answers the letters of all Resolves of this user, on one thread."""

    def __init__(
        self,
        service: Service,
        lifetime: Lifetime,
        screen: Screen,
        *,
        find: Callable[[], tuple[Place, ...]] = lambda: places(sys.platform, os.environ),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service, self._lifetime, self._screen = service, lifetime, screen
        self._find, self._clock = find, clock
        self._run = secrets.token_hex(16)
        self._boxes: dict[Path, Box] = {}
        self._waiting: dict[Path, _Waiting] = {}
        self._unfit: set[Path] = set()
        """The inboxes of which it was said that they can't be written."""
        self._looked = self._used = float("-inf")

    def look(self) -> float:
        """Answer what has come; gives the seconds after which to look again."""
        now = self._clock()
        if now - self._looked >= _PLACES_SECONDS:
            self._looked = now
            self._find_boxes()
        for inbox, box in self._boxes.items():
            try:
                self._serve(inbox, box)
            except OutputError as error:
                # A script may have the file open, or the disk be full: it is tried until the script must have gone.
                self._warn(inbox, error)
                if now - self._waiting[inbox].beaten >= _PATIENCE_SECONDS:
                    del self._waiting[inbox]
        if not self._boxes:
            return _PLACES_SECONDS
        return _LOOK_SECONDS if self._waiting or now - self._used < _AWAKE_SECONDS else _IDLE_LOOK_SECONDS

    def close(self) -> None:
        """Leave nothing behind that tells scripts of a sidecar."""
        for box in self._boxes.values():
            box.close()

    def _find_boxes(self) -> None:
        for place in self._find():
            if place.inbox not in self._boxes:
                box = Box(place.inbox, self._run)
                try:
                    box.open()
                except (OutputError, OSError) as error:
                    self._warn(place.inbox, error)
                    continue
                self._boxes[place.inbox] = box
            self._boxes[place.inbox].watch(place.prefs)

    def _warn(self, inbox: Path, error: Exception) -> None:
        if inbox not in self._unfit:
            _log.warning("menu scripts can't be answered in %s: %s", inbox, error)
        self._unfit.add(inbox)

    def _serve(self, inbox: Path, box: Box) -> None:
        now = self._clock()
        letter = box.letter()
        if letter is not None:
            self._waiting[inbox] = _Waiting(letter=letter, beaten=now)
        waiting = self._waiting.get(inbox)
        if waiting is None:
            return
        self._used = now
        self._lifetime.touch()
        if waiting.letter.client != box.client:
            # The script sees that it was heard, and one that waited, that another is served now.
            box.beat(waiting.letter.client)
        data = waiting.answered(self._service, self._screen)
        if data is not None:
            box.reply(waiting.letter, data)
            del self._waiting[inbox]
            self._unfit.discard(inbox)
        elif now - waiting.beaten >= _BEAT_SECONDS:
            box.beat(box.client)
            waiting.beaten = now


@contextmanager
def serving(mailbox: Mailbox) -> Iterator[None]:
    """Look into the mailbox on a thread of its own as long as this is open."""
    ended = threading.Event()

    def look() -> None:
        seconds = 0.0
        while not ended.wait(seconds):
            try:
                seconds = mailbox.look()
            except Exception:
                # The mailbox must not end before the sidecar does.
                _log.exception("the mailbox failed")
                seconds = _PLACES_SECONDS

    thread = threading.Thread(target=look, name="mailbox", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        mailbox.close()


def _body(data: dict[str, Any]) -> str:
    """JSON for scripts, which read no half characters: names that are no text may hold some."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        _log.exception("an answer is no JSON")
        return _body(INTERNAL)
    return text.encode("utf-8", "replace").decode("utf-8")


def _all(handle: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as file:
        return file.read(MOST_PREFS)


def _is_own(about: os.stat_result) -> bool:
    if not stat.S_ISREG(about.st_mode):
        return False
    return sys.platform == "win32" or about.st_uid == os.getuid()
