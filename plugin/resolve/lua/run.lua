-- One run over a plan: what its operations share, what they made, and how that is taken back.

local use = ...
local api = use("items")

local run = { BUSY = "DaVinci Resolve does not answer: close its open dialogs and messages" }

local Run = {}
Run.__index = Run

--- What is thrown for an operation whose result does not read back right: `found` is there instead. After a `spoiled`
--- one nothing more must be done.
function run.failed(message, found, spoiled)
  return { failed = true, message = message, found = found or {}, spoiled = spoiled or false }
end

--- The state of a run. References of the plan lead to the editor's objects.
function run.new(editor)
  return setmetatable({
    editor = editor,
    media = {}, -- the imported movies with their paths, by reference
    tracks = {},
    placed = {},
    made = {},
    on_tracks = {}, -- by track, what was placed there: the ids of the items with the operations
    bin = nil,
    inclusive = 0, -- how many frames too long the editor places a clip: 1 where it counts the end in
    properties = {}, -- those of items of the user, by id; they don't change meanwhile
  }, Run)
end

--- The item with that id and its track, when it is on the timeline; all are looked up once.
function Run:standing(id)
  if not self.stands then
    self.stands = {}
    for track = 1, self.editor:track_count() do
      for _, item in ipairs(self.editor:on_track(track)) do
        self.stands[api.id_of(item)] = { item = item, track = track }
      end
    end
  end
  return id ~= "" and self.stands[id] or nil
end

--- The item with that id and its track. An error when it is gone.
function Run:item(id)
  return self:standing(id) or error(run.failed("the clip is no longer on the timeline"), 0)
end

--- These items are gone.
function Run:forget(ids)
  for _, id in ipairs(ids) do
    if self.stands then
      self.stands[id] = nil
    end
  end
end

--- An error when the track is locked.
function Run:unlocked(track)
  if self.editor:is_locked(track) then
    local name = self.editor:track_name(track)
    error(run.failed(string.format("video track %d (%s) is locked: unlock it and run again", track, name)), 0)
  end
end

--- That the operation is about to make something: `what` it is, for the user, and how it is taken back, which says if
--- it is gone.
function Run:remember(operation, what, take_back)
  self.made[#self.made + 1] = { operation = operation.id, what = what, take_back = take_back }
end

local function is_taken_back(state, made)
  -- While a dialog is open, everything seems to be gone.
  return made.take_back() and state.editor:answers()
end

--- Take back what was made, the last first, `but` for what one operation made; what else stays.
function Run:take_back(but)
  local left = {}
  for index = #self.made, 1, -1 do
    local made = self.made[index]
    if made.operation ~= but and not (is_taken_back(self, made) or is_taken_back(self, made)) then
      table.insert(left, 1, made)
    end
  end
  self.made = left
  return left
end

--- The items of a track by their ids.
function run.ids_on(editor, track)
  local found = {}
  for _, item in ipairs(editor:on_track(track)) do
    found[api.id_of(item)] = item
  end
  return found
end

--- Delete one item; whether it is gone. The first attempt is known to fail at times.
function run.delete(editor, item, id, track)
  for _ = 1, 2 do
    if not run.ids_on(editor, track)[id] then
      return true
    end
    editor:delete_items({ item })
  end
  return not run.ids_on(editor, track)[id]
end

return run
