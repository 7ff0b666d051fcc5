-- Operations that take away what earlier runs made. They can't be taken back.

local use = ...
local api, run, text = use("items"), use("run"), use("text")

local removing = {}

local function left_of(state, tracks, wanted)
  local left = {}
  for _, track in ipairs(tracks) do
    for _, item in ipairs(state.editor:on_track(track)) do
      if wanted[api.id_of(item)] then
        left[#left + 1] = item
      end
    end
  end
  return left
end

local function forget_gone(state, ids, stays)
  local there, gone = {}, {}
  for _, item in ipairs(stays) do
    there[api.id_of(item)] = true
  end
  for _, id in ipairs(ids) do
    if not there[id] then
      gone[#gone + 1] = id
    end
  end
  state:forget(gone)
end

--- Delete items, and leave gaps. Those that are gone already are no failure.
function removing.items(state, operation)
  local tracks, seen, wanted = {}, {}, {}
  for _, id in ipairs(operation.items) do
    wanted[id] = true
    local standing = state:standing(id)
    if standing and not seen[standing.track] then
      seen[standing.track] = true
      tracks[#tracks + 1] = standing.track
    end
  end
  table.sort(tracks)
  for _, track in ipairs(tracks) do
    state:unlocked(track)
  end
  for _ = 1, 2 do
    local left = left_of(state, tracks, wanted)
    if #left > 0 then
      state.editor:delete_items(left)
    end
  end
  local stays = left_of(state, tracks, wanted)
  forget_gone(state, operation.items, stays)
  if #stays > 0 then
    local message = "DaVinci Resolve does not delete %d of %d clips"
    error(run.failed(string.format(message, #stays, #operation.items)), 0)
  end
  return {}
end

--- The numbers of the takes that show the movie, the last first; the first take is the user's own.
local function takes_of(item, path)
  local found = {}
  for index = api.takes(item) or 0, 2, -1 do
    local media = api.take_media(item, index)
    if media and text.same_path(api.media_facts(media)["File Path"] or "", path) then
      found[#found + 1] = index
    end
  end
  return found
end

--- Delete the takes of an item that show a movie; the first take, or the one that was selected, is shown then.
function removing.take(state, operation)
  local standing = state:standing(operation.item)
  if not standing or #takes_of(standing.item, operation.media) == 0 then
    return {}
  end
  local item = standing.item
  state:unlocked(standing.track)
  for _ = 1, 2 do
    for _, index in ipairs(takes_of(item, operation.media)) do
      if api.selected_take(item) == index then
        api.select_take(item, 1)
      end
      api.delete_take(item, index)
    end
  end
  if #takes_of(item, operation.media) > 0 then
    error(run.failed("DaVinci Resolve does not delete the take of " .. api.name_of(item)), 0)
  end
  return {}
end

--- The number of the topmost video track of that name; nil when there is none.
function removing.find_track(state, name)
  for index = state.editor:track_count(), 1, -1 do
    if state.editor:track_name(index) == name then
      return index
    end
  end
end

--- Delete a video track, if nothing is on it.
function removing.track(state, operation)
  local index = removing.find_track(state, operation.name)
  -- A list may be empty because it can't be read: what is on the track would go with it.
  if not index or #state.editor:on_track(index) > 0 or #state.editor:on_track(index) > 0 then
    return {}
  end
  state:unlocked(index)
  local count = state.editor:track_count()
  state.editor:delete_track(index)
  if state.editor:track_count() >= count then
    error(run.failed("DaVinci Resolve does not delete the empty video track " .. operation.name), 0)
  end
  return {}
end

local function is_unused(media, paths)
  local told = api.media_facts(media)
  -- What is not told to be unused may be shown by a timeline, and would go from there.
  if api.media_count(told, "Usage") ~= 0 then
    return false
  end
  for _, path in ipairs(paths) do
    if text.same_path(told["File Path"] or "", path) then
      return true
    end
  end
  return false
end

--- Delete movies from a bin that no timeline uses.
function removing.media(state, operation)
  local folder = state.editor:find_bin(operation.bin)
  local unused, ids = {}, {}
  for _, media in ipairs(folder and state.editor:clips_in(folder) or {}) do
    if is_unused(media, operation.paths) then
      unused[#unused + 1] = media
    end
  end
  if #unused == 0 then
    return {}
  end
  for _, media in ipairs(unused) do
    ids[api.media_id(media)] = true
  end
  state.editor:delete_media(unused)
  local left = 0
  for _, media in ipairs(state.editor:clips_in(folder)) do
    left = left + (ids[api.media_id(media)] and 1 or 0)
  end
  if left > 0 then
    local message = "DaVinci Resolve does not delete %d movies from the bin %s"
    error(run.failed(string.format(message, left, operation.bin)), 0)
  end
  return {}
end

return removing
