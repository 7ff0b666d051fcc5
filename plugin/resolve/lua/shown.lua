-- Which source the user sees under the playhead: of a still that was made here, the footage that it was made of.

local use = ...
local api, editors, fault, kept = use("items"), use("editor"), use("fault"), use("kept")

local STILL = ".snapupscale.mov" -- how the names of the movies of stills end

local shown = {}

local function is_still(path)
  return path:sub(-#STILL) == STILL
end

local function path_of(media)
  return media and api.media_facts(media)["File Path"] or ""
end

--- The file of the first take, which is the user's own; empty for what is no take selector.
local function path_of_take(item)
  return (api.takes(item) or 0) ~= 0 and path_of(api.take_media(item, 1)) or ""
end

--- The file of the first of `items` that the still from `first` to `last` lies over and that is none itself.
local function path_among(items, first, last)
  for _, item in ipairs(items) do
    local from, to = api.span(item)
    local path = first and from and from < last and first < to and path_of(api.media_of(item)) or ""
    if path ~= "" and not is_still(path) then
      return path
    end
  end
  return ""
end

--- The file of the topmost clip that the still lies over and that is none itself; empty where there is none.
local function path_below(editor, still)
  local first, last = api.span(still)
  local id, beneath = api.id_of(still), false
  for track = editor:track_count(), 1, -1 do
    local there = editor:on_track(track)
    local path = beneath and path_among(there, first, last) or ""
    if path ~= "" then
      return path
    end
    for _, item in ipairs(there) do
      beneath = beneath or api.id_of(item) == id
    end
  end
  return ""
end

--- The file of the clip under the playhead. An error with a fault when there is none.
function shown.path_under_playhead(editor)
  return kept.during(editor, editors.WITH_PLAYHEAD, function()
    local item = editor:under_playhead()
    if not item then
      error(fault.nothing_chosen("no clip of a video track is under the playhead"), 0)
    end
    local path = path_of(api.media_of(item))
    if is_still(path) then
      path = path_of_take(item)
      path = path ~= "" and path or path_below(editor, item)
    end
    if path == "" then
      error(fault.nothing_chosen(api.name_of(item) .. " has no source file"), 0)
    end
    return path
  end)
end

return shown
