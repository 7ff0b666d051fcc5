"""The entries of the menu Workspace > Scripts > SnapUpscale."""

import traceback
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional

from snapupscale import protocol
from snapupscale.protocol import Object
from snapupscale_resolve import client as sidecar
from snapupscale_resolve import launch
from snapupscale_resolve.door import ask
from snapupscale_resolve.editor import WITH_PLAYHEAD, Editor
from snapupscale_resolve.editor_faults import NoEditor
from snapupscale_resolve.executor import apply
from snapupscale_resolve.faults import Fault
from snapupscale_resolve.kept import Kept
from snapupscale_resolve.shown import path_under_playhead
from snapupscale_resolve.snapshot_taker import NOTHING, choose, take_snapshot
from snapupscale_resolve.summary import NAMES, summary
from snapupscale_resolve.telling import Teller
from snapupscale_resolve.voice import Voice, open_in_browser
from snapupscale_resolve.waiting import ended_like_a_key, wait_for_job, wait_for_session

if TYPE_CHECKING:
    from fusionscript import Resolve

    from snapupscale_resolve.client import Client
    from snapupscale_resolve.launch import Started

_REPORT_JOB: Object = {"kind": "upscale", "backend": "bicubic", "scale": 1, "limit": 1, "priority": "interactive"}
"""The smallest job that makes a report of all shots: one still, not enlarged."""


def run(
    action: str,
    host: Mapping[str, Any],
    scope: str = "",
    start: "Callable[[], Started]" = launch.start,
    voice: Optional[Voice] = None,
) -> bool:
    """Do what an entry of the menu says; whether it was done, wholly.

    `host`: the names that the editor gives a script, such as `resolve`. `scope`: one of `protocol.SCOPES`, by default
    the selected clips, else the clip under the playhead, else the timeline. Nothing is raised: the user is told.
    """
    said = voice or Voice()
    try:
        with ended_like_a_key():
            return ACTIONS[action](_Script(action, Editor(find_resolve(host)), scope, start, said))
    except Fault as fault:
        said.show("%s: %s." % (NAMES[action], str(fault).rstrip(".")), [fault.hint])
    except KeyboardInterrupt:
        said.say("%s was ended." % NAMES[action])
    except Exception as error:
        hint = "This is a fault of SnapUpscale. The Console (Workspace > Console) tells more; please report it."
        said.show("%s: %s: %s." % (NAMES[action], type(error).__name__, error), [hint])
        traceback.print_exc()
    return False


def find_resolve(host: Mapping[str, Any]) -> "Resolve":
    """The editor: what it gave the script, or what its module gives. Raises NoEditor."""
    if host.get("resolve") is not None:
        return host["resolve"]  # type: ignore[no-any-return]
    bmd: Any = host.get("bmd")
    if bmd is None:
        try:
            import DaVinciResolveScript as bmd  # type: ignore[import-not-found,no-redef]
        except Exception:  # the module looks for the editor's library, which may be missing or of another Python
            raise NoEditor("DaVinci Resolve is not there") from None
    found = ask(bmd.scriptapp, "Resolve")
    if found is None:
        raise NoEditor("DaVinci Resolve does not let this script in")
    return found  # type: ignore[no-any-return]


class _Script(object):
    """One run of one entry."""

    def __init__(
        self, action: str, editor: Editor, scope: str, start: "Callable[[], Started]", voice: Voice
    ) -> None:
        self.action = action
        self.editor = editor
        self.scope = scope
        self.voice = voice
        self._start = start

    def connect(self) -> "Client":
        """A client of the sidecar, which is started if need be."""
        self.voice.say("%s: connecting." % NAMES[self.action])
        return sidecar.connect(self._start)


def _edit(script: _Script) -> bool:
    """Have a plan made of the timeline, and apply it."""
    client = script.connect()
    session = client.open_session(script.action, _snapshot(script))
    session = wait_for_session(client, session, script.voice)
    if session["state"] == "failed":
        error = session["error"] or {"message": "it failed", "hint": Fault.default_hint}
        raise Fault(error["message"], error["hint"])
    plan = client.plan(session["id"])
    teller = Teller(client, session["id"])
    outcome = apply(script.editor, plan, teller)
    end = summary(plan, outcome)
    lines = list(end.lines)
    try:
        teller.finish()
    except Fault as fault:
        lines += ["SnapUpscale could not be told what was done: %s. %s" % (fault, fault.hint)]
    if end.needs_eyes:
        script.voice.show(end.title, lines)
    else:
        for line in [end.title, *lines]:
            script.voice.say(line)
    return not end.needs_eyes


def _snapshot(script: _Script) -> Object:
    """The timeline as the action needs it."""
    if script.action == "remove_markers":
        return take_snapshot(script.editor, NOTHING, with_items=False)
    if script.action == "undo":
        return take_snapshot(script.editor, NOTHING)
    with Kept(script.editor, WITH_PLAYHEAD):
        chosen = choose(script.editor, script.scope)
        script.voice.say(chosen.said)
        return take_snapshot(script.editor, chosen)


def _show(script: _Script) -> bool:
    """Open the report of the source under the playhead."""
    path = path_under_playhead(script.editor)
    client = script.connect()
    job = wait_for_job(client, client.submit(dict(_REPORT_JOB, source=path)), script.voice)
    if job["state"] != "done":
        error = job["error"] or {"message": "it failed", "hint": Fault.default_hint}
        raise Fault(error["message"], error["hint"])
    url = client.page_url(protocol.REPORT.replace("{id}", job["id"]))
    if not open_in_browser(url):
        raise Fault("no browser can be opened", "Choose a default browser in the settings of this computer.")
    script.voice.say("%s: the report is open in the browser." % NAMES["show"])
    return True


ACTIONS: Dict[str, Callable[[_Script], bool]] = {
    "mark": _edit,
    "stills": _edit,
    "undo": _edit,
    "remove_markers": _edit,
    "show": _show,
}
"""What the entries of the menu do."""
