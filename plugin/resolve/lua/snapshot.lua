-- Reads the timeline into a snapshot, as the sidecar wants it, with no more calls than needed.

local use = ...
local api, fault, json, text = use("items"), use("fault"), use("json"), use("text")

local LONGEST_NAME, LONGEST_NOTE = 200, 1000
-- The editor's names of what a snapshot tells of a medium.
local MEDIA = {
  path = "File Path",
  type = "Type",
  rate = "FPS",
  frames = "Frames",
  start_timecode = "Start TC",
  resolution = "Resolution",
  online = "Online Status",
  drop = "Drop frame",
  field = "Field Dominance",
  colour_space = "Input Color Space",
  par = "PAR",
  alpha = "Alpha mode",
}
local NEEDED = { path = true, type = true, rate = true, frames = true }

local snapshot = {}

--- For what goes by what stands on the timeline, whatever is chosen.
snapshot.NOTHING = { scope = "timeline", ids = {}, said = "" }

local function ids_of(found)
  local ids = {}
  for _, item in ipairs(found) do
    local id = api.id_of(item)
    if id ~= "" then
      ids[id] = true
    end
  end
  return ids
end

--- The items of `scope`; by default the selected clips, else the clip under the playhead, else the whole timeline. A
--- table with the `scope`, the `ids` of the items in it, of which all is read, or nil for all, and what is `said` to
--- the user. An error with a fault when there is nothing to work on.
function snapshot.choose(editor, scope)
  local note = ""
  if not scope or scope == "selection" then
    if editor:can_tell_selection() then
      local found = ids_of(editor:selected())
      if next(found) then
        return { scope = "selection", ids = found, said = "Working on the selected clips." }
      end
    elseif scope then
      note = "This version of DaVinci Resolve does not tell which clips are selected (21.0.4 and later do). "
    end
  end
  if scope ~= "timeline" then
    local item = editor:under_playhead()
    if item then
      local said = note .. "Working on the clip under the playhead: " .. api.name_of(item) .. "."
      return { scope = "playhead", ids = ids_of({ item }), said = said }
    elseif scope then
      error(fault.nothing_chosen(note .. "no clip of a video track is under the playhead"), 0)
    end
    note = "No clip is selected, and none is under the playhead. "
  end
  return { scope = "timeline", said = note .. "Working on the whole timeline." }
end

local function media_id(media, read)
  local id = api.media_id(media)
  if id ~= "" and not read.media[id] then
    local told, found = api.media_facts(media), { id = id }
    for name, key in pairs(MEDIA) do
      local value = told[key] or ""
      if value ~= "" or NEEDED[name] then
        found[name] = value
      end
    end
    read.media[id] = true
    read.list[#read.list + 1] = found
  end
  return id
end

--- `value`, or nil where it is the usual one, which is left out.
local function unless(value, usual)
  if value ~= usual then
    return value
  end
end

local function read_source(item, found, read)
  if read.parts == nil then
    read.parts = api.can_tell_parts(item)
  end
  found.left_offset, found.right_offset = api.offsets(item, read.parts)
  if read.parts then
    found.source_start, found.source_end = api.source_start(item), api.source_end(item)
  end
  found.speed = api.speed(item)
  found.fusion_comps = unless(api.fusion_comps(item), 0)
end

local function read_item(item, track, read)
  local first, last = api.span(item)
  local name = text.cut(api.name_of(item), LONGEST_NAME)
  if not first then
    error(fault.unreadable(
      string.format("DaVinci Resolve does not tell where %s on video track %d stands", name, track)
    ), 0)
  end
  local id = api.id_of(item)
  local in_scope = read.chosen == nil or read.chosen[id] == true
  local media = api.media_of(item)
  local found = { id = id, name = name, track = track, start = first, ["end"] = math.max(first, last) }
  found.type = unless(api.type_of(item), "")
  found.media = media and unless(media_id(media, read), "") or nil
  found.enabled = unless(api.is_enabled(item), true)
  local takes = media and (api.takes(item) or 0) or 0
  found.takes = unless(takes, 0)
  found.in_scope = unless(in_scope, false)
  if in_scope and media then
    read_source(item, found, read)
  elseif media then
    read.brief[#read.brief + 1] = { item = item, found = found }
  end
  if takes ~= 0 then
    found.take = unless(api.selected_take(item), 0)
  end
  read.items[#read.items + 1] = found
  read.any = read.any or in_scope
end

--- The record frames that items in scope stand on: where they begin and end, ascending and apart.
local function spans_in_scope(items)
  local spans, merged = {}, {}
  for _, item in ipairs(items) do
    if item.in_scope then
      spans[#spans + 1] = { item.start, item["end"] }
    end
  end
  table.sort(spans, function(one, other) return one[1] < other[1] end)
  for _, span in ipairs(spans) do
    local last = merged[#merged]
    if last and span[1] <= last[2] then
      last[2] = math.max(last[2], span[2])
    else
      merged[#merged + 1] = span
    end
  end
  return merged
end

--- The last of `spans` that begins before `place`, or nil.
local function last_before(spans, place)
  local low, high = 0, #spans
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if spans[middle][1] < place then
      low = middle
    else
      high = middle - 1
    end
  end
  return spans[low]
end

--- Add the sources of what lies under or over items in scope: a still of ours stands for the clip under it.
local function complete(read)
  local scope = spans_in_scope(read.items)
  for _, each in ipairs(read.brief) do
    local span = last_before(scope, each.found["end"])
    if span and span[2] > each.found.start then
      read_source(each.item, each.found, read)
    end
  end
end

local function read_track(editor, index)
  return {
    index = index,
    name = editor:track_name(index),
    locked = editor:is_locked(index),
    enabled = editor:is_enabled(index),
  }
end

local function size(value)
  return value:find("^%d+%.?%d*$") and math.floor(tonumber(value)) or 0
end

local function known(what, id)
  if id == "" then
    error(fault.unreadable("DaVinci Resolve does not tell which " .. what .. " is open"), 0)
  end
  return id
end

local function read_timeline(editor)
  local first, last = editor:timeline_span()
  local rate = editor:timeline_setting("timelineFrameRate")
  if rate == "" then
    error(fault.unreadable("DaVinci Resolve does not tell the frame rate of the timeline"), 0)
  end
  return {
    id = known("timeline", editor:timeline_id()),
    name = text.cut(editor:timeline_name(), LONGEST_NAME),
    rate = rate,
    start_frame = first,
    end_frame = last,
    start_timecode = editor:start_timecode(),
    width = size(editor:timeline_setting("timelineResolutionWidth")),
    height = size(editor:timeline_setting("timelineResolutionHeight")),
    playhead = editor:playhead(),
  }
end

local function read_markers(editor)
  local found = editor:markers()
  for _, marker in ipairs(found) do
    marker.name, marker.note = text.cut(marker.name, LONGEST_NOTE), text.cut(marker.note, LONGEST_NOTE)
  end
  return found
end

--- The snapshot; of items that are not `chosen` only what a plan needs of neighbours. An error with a fault when
--- something can't be read, or none of the chosen items is on a video track.
function snapshot.take(editor, chosen, without_items)
  local tracks = {}
  for index = 1, editor:track_count() do
    tracks[index] = read_track(editor, index)
  end
  local read = { chosen = chosen.ids, items = {}, media = {}, list = {}, brief = {}, any = false }
  for index = 1, without_items and 0 or #tracks do
    for _, item in ipairs(editor:on_track(index)) do
      read_item(item, index, read)
    end
  end
  complete(read)
  if not read.any and (chosen.ids == nil or next(chosen.ids)) then
    error(fault.nothing_chosen("there is no clip on a video track to work on"), 0)
  end
  return {
    protocol = fault.PROTOCOL,
    host = { product = editor.product, version = editor.version },
    project = { id = known("project", editor:project_id()), name = editor:project_name() },
    timeline = read_timeline(editor),
    tracks = json.list(tracks),
    scope = chosen.scope,
    items = json.list(read.items),
    media = json.list(read.list),
    markers = json.list(read_markers(editor)),
  }
end

return snapshot
