-- The entries of the menu Workspace > Scripts > SnapUpscale, for editions in which Python scripts are not listed.

local use, host = ...
local editors, executor, fault, json, kept, mailbox, notice, shown, snapshots, summary =
  use("editor"), use("executor"), use("fault"), use("json"), use("kept"), use("mailbox"), use("notice"), use("shown"),
  use("snapshot"), use("summary")

local menu = {}

local MOST_RESULTS = 500 -- in one request, which may have a mebibyte
-- The smallest job that makes a report of all shots: one still, not enlarged.
local REPORT_JOB = { kind = "upscale", backend = "bicubic", scale = 1, limit = 1, priority = "interactive" }

local function find_resolve()
  local found = host.resolve
  if not found and host.bmd then
    local whole, answer = pcall(host.bmd.scriptapp, "Resolve")
    found = whole and answer
  end
  return found or error(fault.no_editor("DaVinci Resolve does not let this script in"), 0)
end

local function connect(script)
  notice.say(summary.NAMES[script.action] .. ": connecting.")
  script.box = mailbox.connect()
end

--- The timeline as the action needs it.
local function take_snapshot(script)
  local editor = script.editor
  if script.action == "remove_markers" then
    return snapshots.take(editor, snapshots.NOTHING, true)
  elseif script.action == "undo" then
    return snapshots.take(editor, snapshots.NOTHING)
  end
  return kept.during(editor, editors.WITH_PLAYHEAD, function()
    local chosen = snapshots.choose(editor, script.scope)
    notice.say(chosen.said)
    return snapshots.take(editor, chosen)
  end)
end

--- A function that tells the sidecar what was read back. Its first failure ends the telling until it is called without
--- results: it may cost much time. Gives why something is untold then.
local function teller(box, session)
  local untold, failed = json.list({}), nil
  return function(results)
    for _, result in ipairs(results or {}) do
      untold[#untold + 1] = result
    end
    while #untold > 0 and not (results and failed) do
      local sending = json.list({})
      for index = 1, math.min(#untold, MOST_RESULTS) do
        sending[index] = untold[index]
      end
      local whole, thrown = pcall(box.ask, box, "readback", session, { results = sending })
      if not whole then
        failed = fault.of(thrown)
        return failed
      end
      local rest = json.list({})
      for index = #sending + 1, #untold do
        rest[#rest + 1] = untold[index]
      end
      untold = rest
    end
  end
end

--- Have a plan made of the timeline, and apply it.
local function edit(script)
  connect(script)
  local box, editor, found = script.box, script.editor, take_snapshot(script)
  found.markers = notice.clear(editor, found.markers)
  local session = box:ask("open", nil, { action = script.action, snapshot = found, options = script.options })
  local plan = box:ask("plan", session.id)
  local tell = teller(box, session.id)
  local outcome = executor.apply(editor, plan, tell)
  local last = summary.of(plan, outcome)
  local untold = tell() and tell()
  if untold then
    table.insert(last.lines, "SnapUpscale could not be told what was done: " .. untold.message .. ". " .. untold.hint)
  end
  if last.needs_eyes then
    notice.show(last.title, last.lines, box, editor)
    return false
  end
  notice.say(last.title)
  for _, line in ipairs(last.lines) do
    notice.say(line)
  end
  return true
end

--- Have the report of the source under the playhead opened; a sandboxed script can't open a browser itself.
local function show(script)
  local request = { source = shown.path_under_playhead(script.editor) }
  for name, value in pairs(REPORT_JOB) do
    request[name] = value
  end
  connect(script)
  local job = script.box:ask("job", script.box:ask("submit", nil, request).id)
  if job.state ~= "done" then
    error(fault.make(job.error.code or "failed", job.error.message or "it failed", job.error.hint), 0)
  end
  script.box:ask("show", job.id)
  notice.clear(script.editor)
  notice.say(summary.NAMES.show .. ": the report is open in the browser.")
  return true
end

local function tell_fault(script, found)
  local alone = found == fault.NOT_RUNNING or found == fault.LOST
  if not script.box and not alone then
    local there, box = pcall(mailbox.connect, 0)
    script.box = there and box or nil
  end
  local title = summary.NAMES[script.action] .. ": " .. summary.bare(found.message) .. "."
  notice.show(title, { found.hint }, not alone and script.box, script.editor)
end

local ACTIONS = { mark = edit, stills = edit, undo = edit, remove_markers = edit, show = show }

--- Do what an entry of the menu says; whether it was done, wholly. `scope`: playhead, selection or timeline; by default
--- the selected clips, else the clip under the playhead, else the timeline. Nothing is thrown: the user is told.
function menu.run(action, scope, options)
  local script = { action = action, scope = scope, options = options or {} }
  local whole, done = pcall(function()
    script.editor = editors.open(find_resolve())
    return ACTIONS[action](script)
  end)
  if not whole then
    tell_fault(script, fault.of(done))
  end
  if script.box then
    pcall(script.box.close, script.box)
  end
  return whole and done
end

return menu
