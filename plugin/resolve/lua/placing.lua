-- Operations that bring stills into the project and onto the timeline.

local use = ...
local api, json, removing, run, text =
  use("items"), use("json"), use("removing"), use("run"), use("text")

local placing = {}

local function fail(message, ...)
  error(run.failed(string.format(message, ...)), 0)
end

--- Duplicate the timeline and come back to the original.
function placing.checkpoint(state, operation)
  local editor, name = state.editor, operation.name
  state:remember(operation, "the timeline " .. name, function()
    return editor:come_back() and editor:delete_timeline(name)
  end)
  local copy = editor:duplicate(name) or editor:duplicate(name)
  if not (editor:come_back() or editor:come_back()) then
    fail("the copy of the timeline is open now, and DaVinci Resolve does not open the original again")
  elseif not copy then
    fail("DaVinci Resolve does not duplicate the timeline, which was to be kept as it was")
  end
  return { timeline = editor:id_of_timeline(copy) }
end

--- Remove the bin that was added, unless there is something in it by now.
local function remove_bin(state, name)
  local folder = state.editor:find_bin(name)
  if not folder then
    return true
  elseif #state.editor:clips_in(folder) > 0 or #state.editor:clips_in(folder) > 0 then
    return false
  end
  state.editor:delete_bin(folder)
  return state.editor:find_bin(name) == nil
end

--- Find or add the bin and make it current.
function placing.use_bin(state, operation)
  local editor, name = state.editor, operation.name
  local folder = editor:find_bin(name)
  if not folder then
    state:remember(operation, "the bin " .. name, function()
      return remove_bin(state, name)
    end)
  end
  for _ = 1, folder and 0 or 2 do
    if not folder then
      editor:add_bin(name)
      folder = editor:find_bin(name)
    end
  end
  if not folder or not (editor:go_to_bin(folder) or editor:go_to_bin(folder)) then
    fail("DaVinci Resolve does not open the bin %s", name)
  end
  state.bin = folder
  return { id = editor:bin_id(folder) }
end

--- What is in the bin, with what the editor tells of it.
local function clips(state)
  local found = {}
  for index, clip in ipairs(state.bin and state.editor:clips_in(state.bin) or {}) do
    found[index] = { clip = clip, told = api.media_facts(clip) }
  end
  return found
end

--- Those of `known` that show the movie and are not `but`, a set of ids.
local function showing(known, path, but)
  local found = {}
  for _, each in ipairs(known) do
    if text.same_path(each.told["File Path"] or "", path) and not (but and but[api.media_id(each.clip)]) then
      found[#found + 1] = each
    end
  end
  return found
end

local function is_movie(told, path, frames)
  return api.media_count(told, "Frames") == frames and text.same_path(told["File Path"] or "", path)
end

local function movie_in(known, path, frames)
  for _, each in ipairs(known) do
    if is_movie(each.told, path, frames) then
      return each.clip
    end
  end
end

--- Remove what shows the movie, but for what was there before.
local function remove_media(state, path, before)
  local new, unused = showing(clips(state), path, before), {}
  for _, each in ipairs(new) do
    -- With a medium goes every item that shows it.
    if api.media_count(each.told, "Usage") == 0 then
      unused[#unused + 1] = each.clip
    end
  end
  if #unused > 0 then
    state.editor:delete_media(unused)
  end
  return #new == 0 or #showing(clips(state), path, before) == 0
end

local function import(state, operation)
  local path, frames, before = operation.path, operation.frames, {}
  for _, each in ipairs(showing(state.in_bin, path)) do
    before[api.media_id(each.clip)] = true
  end
  state:remember(operation, path, function()
    return remove_media(state, path, before)
  end)
  local editor = state.editor
  return editor:import_file(path) or movie_in(clips(state), path, frames) or editor:import_file(path)
end

--- Import a movie into the current bin, unless an earlier run did.
function placing.import_media(state, operation)
  local path, frames = operation.path, operation.frames
  state.in_bin = state.in_bin or clips(state)
  local media = movie_in(state.in_bin, path, frames) or import(state, operation)
  if not media then
    fail("DaVinci Resolve does not import %s", path)
  end
  local told = api.media_facts(media)
  if not is_movie(told, path, frames) then
    local counted = told.Frames ~= nil and told.Frames ~= "" and told.Frames or "no"
    fail("%s was imported with %s frames, not with %d", path, counted, frames)
  end
  state.media[operation.ref] = { media = media, path = path }
  return { media = api.media_id(media), path = path, frames = frames }
end

--- Remove the topmost track that was added, unless something is on it by now.
local function remove_track(state, index)
  local editor = state.editor
  if editor:track_count() < index then
    return true
  elseif #editor:on_track(index) > 0 or #editor:on_track(index) > 0 then
    return false
  end
  editor:delete_track(index)
  return editor:track_count() < index
end

local function add_track(state, operation, name)
  local editor = state.editor
  local count = editor:track_count()
  state:remember(operation, "the video track " .. name, function()
    return remove_track(state, count + 1)
  end)
  for _ = 1, 2 do
    if editor:track_count() == count then
      editor:add_track()
    end
  end
  local index = editor:track_count()
  if index ~= count + 1 then
    fail("DaVinci Resolve adds no video track")
  end
  if not (editor:name_track(index, name) or editor:name_track(index, name)) then
    local message = "DaVinci Resolve does not name the new video track " .. name
    error(run.failed(message, { index = index, name = name, made = true }), 0)
  end
  return index
end

--- Find the video track of that name, or add one on top.
function placing.own_track(state, operation)
  local name = operation.name
  local index = removing.find_track(state, name) or removing.find_track(state, name)
  local made = not index
  if made then
    index = add_track(state, operation, name)
  end
  state:unlocked(index)
  state.tracks[operation.ref] = index
  return { index = index, name = name, made = made }
end

--- The items that show the movie of the operation where it is to be placed.
local function standing_at(state, operation)
  local id, found = api.media_id(state.media[operation.media].media), {}
  for _, item in ipairs(state.editor:on_track(state.tracks[operation.track])) do
    local first, shown = api.span(item), api.media_of(item)
    if first == operation.record and shown and api.media_id(shown) == id then
      found[#found + 1] = item
    end
  end
  return found
end

local function remove_placed(state, operation)
  for _, item in ipairs(standing_at(state, operation)) do
    if not run.delete(state.editor, item, api.id_of(item), state.tracks[operation.track]) then
      return false
    end
  end
  return true
end

--- The item that stands there after AppendToTimeline, whose answer may be an item that isn't there.
local function append(state, operation, last)
  local media = state.media[operation.media].media
  local track, record = state.tracks[operation.track], operation.record
  for _ = 1, 2 do
    local item = state.editor:append(media, operation.start, last, track, record)
    if item and api.id_of(item) ~= "" then
      return item
    end
    local there = standing_at(state, operation)
    if there[1] then
      return there[1]
    end
  end
  local reason = state.editor:answers() and "something else may stand there" or run.BUSY
  fail("DaVinci Resolve places no still at frame %d of video track %d: %s", record, track, reason)
end

local function placed(state, operation, item, id, track)
  state.placed[operation.ref] = item
  state.on_tracks[track] = state.on_tracks[track] or {}
  table.insert(state.on_tracks[track], { id = id, operation = operation })
  local last, offset = operation.record + operation.frames, (api.offsets(item, false))
  return { item = id, track = track, start = operation.record, ["end"] = last, left_offset = offset or json.null }
end

--- Put a movie on a track, for exactly so many frames.
function placing.place(state, operation)
  local track, record, frames = state.tracks[operation.track], operation.record, operation.frames
  local last = operation["end"] - state.inclusive
  state:remember(operation, string.format("a still at frame %d of video track %d", record, track), function()
    return remove_placed(state, operation)
  end)
  for _ = 1, 2 do
    local item = append(state, operation, last)
    local id = api.id_of(item)
    local from, to = api.span(item)
    if from == record and to == record + frames then
      return placed(state, operation, item, id, track)
    end
    if not run.delete(state.editor, item, id, track) then
      local message = string.format("a still was placed wrongly at frame %d and can't be deleted", record)
      error(run.failed(message, { item = id }, true), 0)
    end
    if from ~= record then
      break
    end
    -- Some versions count the end in.
    state.inclusive = state.inclusive + to - from - frames
    last = operation["end"] - state.inclusive
    if operation.start >= last then
      break
    end
  end
  fail("DaVinci Resolve does not place the still for %d frames at frame %d", frames, record)
end

--- The operations whose stills are no longer where they were placed: some are dropped after a while.
function placing.confirm(state)
  local tracks, gone = {}, {}
  for track in pairs(state.on_tracks) do
    tracks[#tracks + 1] = track
  end
  table.sort(tracks)
  for _, track in ipairs(tracks) do
    local there = run.ids_on(state.editor, track)
    for _, known in ipairs(state.on_tracks[track]) do
      if not there[known.id] then
        gone[#gone + 1] = known.operation
      end
    end
  end
  return gone
end

--- The number of the new take; nil when there is none, whatever AddTake says.
local function add_take(before, media, operation)
  for _ = 1, 2 do
    api.add_take(before.item, media, operation.start, operation["end"])
    local index = api.takes(before.item) or 0
    if index > math.max(1, before.takes) then
      return index
    end
  end
end

local function select(item, index)
  return api.select_take(item, index) or api.select_take(item, index)
end

--- Remove the takes that were added, the first being the original; whether the item stands as before.
local function remove_takes(before)
  local kept = math.max(1, before.takes)
  for index = api.takes(before.item) or 0, kept + 1, -1 do
    local shown = api.take_media(before.item, index)
    if shown and api.media_id(shown) == api.media_id(before.media) then
      select(before.item, before.selected > 0 and before.selected or 1)
      api.delete_take(before.item, index)
    end
  end
  local left = api.takes(before.item)
  if not left or left > kept then
    return false
  end
  local first, last = api.span(before.item)
  return first == before.first and last == before.last
end

--- An item as it stands before a take is added, and the movie of the take.
local function as_it_stands(item, media)
  local first, last = api.span(item)
  local takes, selected = api.takes(item), api.selected_take(item)
  if not first or not takes then
    fail("DaVinci Resolve does not tell how %s stands", api.name_of(item))
  end
  return { item = item, first = first, last = last, takes = takes, selected = selected, media = media }
end

--- Add a movie as a take of an item and select it; judged by how the item then stands.
function placing.take(state, operation)
  local standing = state:item(operation.item)
  state:unlocked(standing.track)
  local known, item, name = state.media[operation.media], standing.item, api.name_of(standing.item)
  local before = as_it_stands(item, known.media)
  state:remember(operation, "a take of " .. name, function()
    return remove_takes(before)
  end)
  local index = add_take(before, known.media, operation)
  local shown = index and select(item, index) and api.media_of(item)
  local first, last = api.span(item)
  local in_place = first == before.first and last == before.last
  if not shown or api.media_id(shown) ~= api.media_id(known.media) or not in_place then
    if not (remove_takes(before) or remove_takes(before)) then
      error(run.failed("a take was added to " .. name .. " and can't be removed again", nil, true), 0)
    end
    fail("DaVinci Resolve adds no take to %s that stands where it stands", name)
  end
  return { item = operation.item, start = first, ["end"] = last, takes = index, take = index, path = known.path }
end

return placing
