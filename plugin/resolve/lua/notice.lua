-- How the user hears of things where nobody sees what a script prints: a page in the browser, which the sidecar opens,
-- or, when there is no sidecar, a marker at the playhead.

local use = ...
local json, text = use("json"), use("text")

local notice = {}

local CUSTOM = "snapupscale:message"
local LONGEST_NOTE = 1000
local TRIES = 50 -- frames that are tried for the marker

--- One line in the Console; the free edition shows it nowhere.
function notice.say(line)
  print("SnapUpscale: " .. line)
end

--- Take a message of an earlier run off the timeline; the other ones of `markers`, by default all there are.
function notice.clear(editor, markers)
  local kept = json.list({})
  for _, marker in ipairs(markers or editor:markers()) do
    if marker.custom == CUSTOM then
      editor:delete_marker(CUSTOM)
    else
      kept[#kept + 1] = marker
    end
  end
  return kept
end

local function frames(timecode, rate)
  local hours, minutes, seconds, frame = timecode:match("^(%d+):(%d+):(%d+)[:;](%d+)$")
  local base = math.floor((tonumber(rate:match("^[%d.]+")) or 0) + 0.5)
  if not hours or base == 0 then
    return nil
  end
  minutes = hours * 60 + minutes
  local dropped = timecode:find(";", 1, true) and base / 15 * (minutes - math.floor(minutes / 10)) or 0
  return (minutes * 60 + seconds) * base + frame - dropped
end

--- The frame under the playhead, counted from the timeline's start; 0 where that can't be told.
local function playhead_frame(editor)
  local rate = editor:timeline_setting("timelineFrameRate")
  local now, first = frames(editor:playhead(), rate), frames(editor:start_timecode(), rate)
  local from, to = editor:timeline_span()
  return now and first and math.max(0, math.min(now - first, to - from - 1)) or 0
end

local function mark(editor, title, lines)
  local taken = {}
  for _, marker in ipairs(notice.clear(editor)) do
    taken[marker.frame] = true
  end
  local frame = playhead_frame(editor)
  for _ = 1, TRIES do
    frame = frame + (taken[frame] and 1 or 0)
  end
  local note = text.cut(table.concat(lines, " ") .. " (Remove SnapUpscale Markers takes this away.)", LONGEST_NOTE)
  editor:add_marker({
    frame = frame,
    color = "Red",
    name = text.cut("SnapUpscale: " .. title, LONGEST_NOTE),
    note = note,
    duration = 1,
    custom = CUSTOM,
  })
end

--- Say it all, and show it. `box` is the mailbox of a sidecar that answers, or nil; `editor` the open timeline, or nil.
function notice.show(title, lines, box, editor)
  notice.say(title)
  for _, line in ipairs(lines) do
    notice.say(line)
  end
  local told = box and (box.replaced or pcall(box.ask, box, "tell", nil, { title = title, lines = json.list(lines) }))
  if not told and editor then
    pcall(mark, editor, title, lines)
  end
end

return notice
