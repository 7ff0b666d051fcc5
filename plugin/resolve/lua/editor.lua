-- DaVinci Resolve, as far as SnapUpscale uses it. No other file but items.lua touches its API.

local use = ...
local door, fault = use("door"), use("fault")

local SILENT = "DaVinci Resolve does not answer: a dialog of it may be open"
local OLDEST = { 18, 5 } -- the first version that places clips on a chosen track at a chosen frame
local VIDEO, VIDEO_ALONE = "video", 1

local Editor = {}
Editor.__index = Editor

local editor = {
  EDIT = "edit",
  -- The pages on which the playhead can be read and moved.
  WITH_PLAYHEAD = { cut = true, edit = true, color = true, fairlight = true, deliver = true },
}

--- The first two numbers of the version: from the list that the editor gives, else from the text.
local function is_too_old(answer, told)
  local major = type(answer) == "table" and door.as_number(answer[1])
  local minor = type(answer) == "table" and door.as_number(answer[2])
  if not major then
    major, minor = told:match("^(%d+)%.?(%d*)")
    major, minor = tonumber(major) or 0, tonumber(minor)
  end
  return major < OLDEST[1] or (major == OLDEST[1] and (minor or 0) < OLDEST[2])
end

--- The open project and its current timeline. An error with a fault when there is none.
function editor.open(resolve)
  local self = setmetatable({ resolve = resolve }, Editor)
  self.product = door.text(resolve, "GetProductName")
  self.version = door.text(resolve, "GetVersionString")
  if self.product == "" then
    error(fault.not_answering(SILENT), 0)
  end
  if is_too_old(door.ask(resolve, "GetVersion"), self.version) then
    error(fault.too_old("SnapUpscale needs DaVinci Resolve 18.5 or later; this is " .. self.version), 0)
  end
  self:refresh()
  return self
end

--- Whether calls that can't fail don't: they do while a dialog is open.
function Editor:answers()
  return door.text(self.resolve, "GetProductName") ~= "" and door.text(self.project, "GetUniqueId") ~= ""
end

--- Go on with the project and the timeline that are open now. An error with a fault when there is none.
function Editor:refresh()
  local manager = self:there("project manager", door.thing(self.resolve, "GetProjectManager"))
  self.project = self:there("project", door.thing(manager, "GetCurrentProject"))
  self.pool = self:there("media pool", door.thing(self.project, "GetMediaPool"))
  self.timeline = self:there("timeline", door.thing(self.project, "GetCurrentTimeline"))
end

function Editor:there(what, found)
  if found then
    return found
  end
  if door.text(self.resolve, "GetProductName") ~= "" then
    error(fault.nothing_open("no " .. what .. " is open in DaVinci Resolve"), 0)
  end
  error(fault.not_answering(SILENT), 0)
end

-- The project and the timeline

function Editor:project_id()
  return door.text(self.project, "GetUniqueId")
end

function Editor:project_name()
  return door.text(self.project, "GetName")
end

function Editor:timeline_id()
  return door.text(self.timeline, "GetUniqueId")
end

function Editor:timeline_name()
  return door.text(self.timeline, "GetName")
end

--- A setting of the timeline, or of the project where the timeline has none.
function Editor:timeline_setting(name)
  local found = door.text(self.timeline, "GetSetting", name)
  return found ~= "" and found or door.text(self.project, "GetSetting", name)
end

--- From the first frame of the timeline up to the end.
function Editor:timeline_span()
  local first, last = door.whole(self.timeline, "GetStartFrame"), door.whole(self.timeline, "GetEndFrame")
  if not first then
    error(fault.unreadable("DaVinci Resolve does not tell where the timeline starts"), 0)
  end
  return first, math.max(first, last or first)
end

function Editor:start_timecode()
  return door.text(self.timeline, "GetStartTimecode")
end

--- Copy the timeline under `name`; the copy, or nil when there is none. The copy may be open then.
function Editor:duplicate(name)
  local copy = door.as_thing(door.ask(self.timeline, "DuplicateTimeline", name))
  return copy or self:timeline_called(name)
end

--- Open the timeline in hand again if another is; whether it is open.
function Editor:come_back()
  if self:is_current() then
    return true
  end
  door.agreed(self.project, "SetCurrentTimeline", self.timeline)
  return self:is_current()
end

function Editor:is_current()
  local current = door.thing(self.project, "GetCurrentTimeline")
  return current ~= nil and door.text(current, "GetUniqueId") == self:timeline_id()
end

function Editor:id_of_timeline(timeline)
  return door.text(timeline, "GetUniqueId")
end

--- Delete the timeline of that name, which must not be open; whether it is gone.
function Editor:delete_timeline(name)
  local timeline = self:timeline_called(name)
  if timeline then
    door.agreed(self.pool, "DeleteTimelines", { timeline })
  end
  return timeline == nil or self:timeline_called(name) == nil
end

function Editor:timeline_called(name)
  for index = 1, door.whole(self.project, "GetTimelineCount") or 0 do
    local timeline = door.thing(self.project, "GetTimelineByIndex", index)
    if timeline and door.text(timeline, "GetName") == name then
      return timeline
    end
  end
end

-- What the user looks at

function Editor:page()
  return door.text(self.resolve, "GetCurrentPage")
end

--- Show a page; whether it is shown.
function Editor:open_page(name)
  door.agreed(self.resolve, "OpenPage", name)
  return self:page() == name
end

--- The timecode under the playhead; empty on pages without one.
function Editor:playhead()
  return door.text(self.timeline, "GetCurrentTimecode")
end

function Editor:move_playhead(timecode)
  return door.agreed(self.timeline, "SetCurrentTimecode", timecode)
end

--- The topmost video item under the playhead.
function Editor:under_playhead()
  return door.thing(self.timeline, "GetCurrentVideoItem")
end

--- Whether this version tells which clips are selected: from 21.0.4 on.
function Editor:can_tell_selection()
  return door.can(self.timeline, "GetSelectedClips")
end

--- The selected items; they include sound.
function Editor:selected()
  return door.things(self.timeline, "GetSelectedClips")
end

-- Tracks

function Editor:track_count()
  local count = door.whole(self.timeline, "GetTrackCount", VIDEO)
  if not count then
    error(fault.unreadable("DaVinci Resolve does not tell how many video tracks there are"), 0)
  end
  return count
end

function Editor:track_name(index)
  return door.text(self.timeline, "GetTrackName", VIDEO, index)
end

function Editor:is_locked(index)
  return door.truth(self.timeline, "GetIsTrackLocked", VIDEO, index) == true
end

--- Whether a video track is shown; so it is where nothing else is told.
function Editor:is_enabled(index)
  return door.truth(self.timeline, "GetIsTrackEnabled", VIDEO, index) ~= false
    or door.truth(self.timeline, "GetIsTrackEnabled", VIDEO, index) ~= false
end

function Editor:on_track(index)
  return door.things(self.timeline, "GetItemListInTrack", VIDEO, index)
end

--- Add a video track on top.
function Editor:add_track()
  door.agreed(self.timeline, "AddTrack", VIDEO)
end

--- Name a video track; whether it is called so now.
function Editor:name_track(index, name)
  door.agreed(self.timeline, "SetTrackName", VIDEO, index, name)
  return self:track_name(index) == name
end

--- Delete a video track with all that is on it.
function Editor:delete_track(index)
  door.agreed(self.timeline, "DeleteTrack", VIDEO, index)
end

--- Place the picture of source frames `first` up to, not including, `last` at absolute frame `record`.
function Editor:append(media, first, last, track, record)
  local placed = {
    mediaPoolItem = media,
    startFrame = first,
    endFrame = last,
    mediaType = VIDEO_ALONE,
    trackIndex = track,
    recordFrame = record,
  }
  return door.objects(door.ask(self.pool, "AppendToTimeline", { placed }))[1]
end

--- Delete items and leave gaps; works on the Edit page alone.
function Editor:delete_items(items)
  door.agreed(self.timeline, "DeleteClips", items, false)
end

-- Markers

--- All markers of the timeline, by frame.
function Editor:markers()
  local found = {}
  for frame, marker in pairs(door.facts(self.timeline, "GetMarkers")) do
    local at = door.as_number(frame)
    if at and type(marker) == "table" then
      found[#found + 1] = {
        frame = math.floor(at),
        color = door.as_text(marker.color),
        name = door.as_text(marker.name),
        note = door.as_text(marker.note),
        duration = math.floor(door.as_number(marker.duration) or 1),
        custom = door.as_text(marker.customData),
      }
    end
  end
  table.sort(found, function(one, other) return one.frame < other.frame end)
  return found
end

--- Add a marker. The answer means nothing: look at the markers.
function Editor:add_marker(marker)
  door.agreed(
    self.timeline,
    "AddMarker",
    marker.frame,
    marker.color,
    marker.name,
    marker.note,
    marker.duration,
    marker.custom
  )
end

--- Delete the first marker with that hidden data.
function Editor:delete_marker(custom)
  door.agreed(self.timeline, "DeleteMarkerByCustomData", custom)
end

-- The media pool

--- The current bin.
function Editor:bin()
  return door.thing(self.pool, "GetCurrentFolder")
end

function Editor:bin_id(folder)
  return door.text(folder, "GetUniqueId")
end

--- Make a bin current; whether it is.
function Editor:go_to_bin(folder)
  door.agreed(self.pool, "SetCurrentFolder", folder)
  local current = self:bin()
  return current ~= nil and self:bin_id(current) == self:bin_id(folder)
end

--- The bin of that name in the root.
function Editor:find_bin(name)
  local root = door.thing(self.pool, "GetRootFolder")
  for _, folder in ipairs(root and door.things(root, "GetSubFolderList") or {}) do
    if door.text(folder, "GetName") == name then
      return folder
    end
  end
end

--- Add a bin to the root.
function Editor:add_bin(name)
  local root = door.thing(self.pool, "GetRootFolder")
  if root then
    door.ask(self.pool, "AddSubFolder", root, name)
  end
end

--- Delete a bin with all that is in it.
function Editor:delete_bin(folder)
  door.agreed(self.pool, "DeleteFolders", { folder })
end

function Editor:clips_in(folder)
  return door.things(folder, "GetClipList")
end

--- Import one file into the current bin.
function Editor:import_file(path)
  local found = door.objects(door.ask(self.pool, "ImportMedia", { path }))
  return #found == 1 and found[1] or nil
end

--- Delete media, and with them every item that shows them.
function Editor:delete_media(media)
  door.agreed(self.pool, "DeleteClips", media)
end

return editor
