"""The actions that an editor chooses from the menu, each turned into a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snapupscale import protocol
from snapupscale.errors import SettingError
from snapupscale.timeline.markers import plan_marks, plan_remove_markers
from snapupscale.timeline.options import Options
from snapupscale.timeline.placing import plan_stills
from snapupscale.timeline.undo import plan_undo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snapupscale.timeline.found import Found
    from snapupscale.timeline.memory import Remembered
    from snapupscale.timeline.pieces import Held, Piece
    from snapupscale.timeline.plan import Plan
    from snapupscale.timeline.snapshot import Snapshot


def make_plan(
    action: str,
    snapshot: Snapshot,
    session: str,
    *,
    findings: Mapping[str, Found | str] | None = None,
    held: Mapping[Piece, Held | str] | None = None,
    options: Options | None = None,
    memory: Sequence[Remembered] = (),
    stamp: str = "",
) -> Plan:
    """The edits that `action` makes to the timeline in `snapshot`, as session `session`.

    `findings`: by media id what was found in the sources of `scope.wanted`, or a sentence why nothing is known.
    `held`: the movies of stills for `pieces.pieces`, or sentences why there are none. `memory`: the sessions of the
    timeline that were applied, wholly or in part, and not undone, newest first. `stamp`: what tells checkpoints apart
    in their names. Raises SettingError for an unknown action, a session id that is none, and when there is nothing to
    undo.
    """
    if not protocol.ID.match(session):
        raise SettingError(f"{session[:70]!r} is no id of a session")
    chosen = options or Options()
    match action:
        case "mark":
            return plan_marks(snapshot, session, findings or {}, chosen, memory)
        case "stills":
            return plan_stills(snapshot, session, findings or {}, held or {}, chosen, memory, stamp)
        case "undo":
            return plan_undo(snapshot, session, memory, chosen.session)
        case "remove_markers":
            return plan_remove_markers(snapshot, session)
    raise SettingError(f"{action[:40]!r} is no action", hint=f"Actions: {', '.join(protocol.ACTIONS)}.")
