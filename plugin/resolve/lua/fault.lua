-- What can go wrong between a script, the editor and the sidecar, each with the cure.

local fault = {}

fault.PROTOCOL, fault.OLDEST = 1, 1

local MENU = "Workspace > Scripts > SnapUpscale"
local AGAIN = "Choose " .. MENU .. " again."

--- A fault with a stable code, a message, and what the user can do.
function fault.make(code, message, hint)
  return { code = tostring(code), message = tostring(message), hint = tostring(hint or AGAIN) }
end

--- What was thrown as a fault; anything else is one of ours.
function fault.of(thrown)
  if type(thrown) == "table" and thrown.code then
    return thrown
  end
  return fault.make("internal", tostring(thrown), "This is a fault of SnapUpscale; report it with these words.")
end

--- An error unless the sidecar's numbers of the protocol are understood here; see protocol.mismatch.
function fault.check_number(theirs, oldest)
  if type(theirs) ~= "number" or type(oldest) ~= "number" or theirs < fault.OLDEST then
    local hint = "Update SnapUpscale, run `snapupscale sidecar stop`, start it again, then choose the menu again."
    error(fault.make("protocol-too-new", "the sidecar is older than the menu scripts", hint), 0)
  elseif fault.PROTOCOL < oldest then
    local hint = "Install the menu scripts again, from the SnapUpscale on this computer, and choose the menu again."
    error(fault.make("protocol-too-old", "the menu scripts are older than the sidecar", hint), 0)
  end
end

fault.NOT_RUNNING = fault.make(
  "sidecar-missing",
  "SnapUpscale is not running",
  "Start SnapUpscale (in the Start menu, Applications or the applications menu; or `snapupscale sidecar serve` in a "
    .. "terminal), then choose " .. MENU .. " again. This edition of DaVinci Resolve lets no script start it."
)
fault.LOST = fault.make("connection-lost", "SnapUpscale does not answer any more", "Start SnapUpscale, then choose "
  .. MENU .. " again; jobs that were running go on.")
fault.REPLACED = fault.make("replaced", "another SnapUpscale script has been started", "Wait until that one is done.")
fault.TOO_LARGE = fault.make(
  "too-large",
  "the timeline is too large to be sent",
  "Select some of its clips, or put the playhead on one, and choose the menu again."
)
fault.BAD_REPLY = fault.make("bad-reply", "the answer of SnapUpscale makes no sense", "Start SnapUpscale again, then "
  .. "choose " .. MENU .. " again.")


-- What keeps a script from working in the editor; see editor_faults.py.

function fault.no_editor(message)
  return fault.make("no-editor", message, "Choose the script in DaVinci Resolve, under " .. MENU .. ".")
end

function fault.too_old(message)
  return fault.make(
    "editor-too-old", message, "Update DaVinci Resolve: its menu DaVinci Resolve > Check for Updates."
  )
end

function fault.not_answering(message)
  return fault.make(
    "editor-busy", message, "Close every open dialog and message of DaVinci Resolve, then choose the menu again."
  )
end

function fault.nothing_open(message)
  return fault.make("nothing-open", message, "Open a timeline on the Edit page, then choose the menu again.")
end

function fault.nothing_chosen(message)
  return fault.make(
    "nothing-chosen", message, "Put the playhead on a clip of a video track, then choose the menu again."
  )
end

function fault.unreadable(message)
  return fault.make(
    "editor-unreadable",
    message,
    "Choose the menu again. If it stays, close the timeline, open it again and try once more."
  )
end

return fault
