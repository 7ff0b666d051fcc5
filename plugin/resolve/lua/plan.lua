-- Looks whether a plan is one that can be applied here, before anything of it is done; see protocol.read_plan.

local use = ...
local fault, json = use("fault"), use("json")

local MARKER =
  { frame = "whole", color = "text", name = "text", note = "text", duration = "whole", custom = "text" }

local plan = {}

--- The closed set of what a plan may ask of the editor, each with what it takes beside its `id` and `op`.
plan.OPERATIONS = {
  require = { project = "text", timeline = "text", items = "items" },
  checkpoint = { name = "text" },
  add_marker = MARKER,
  remove_marker = { custom = "text" },
  bin = { name = "text" },
  import_media = { path = "text", frames = "whole", ref = "text" },
  describe = { media = "text", note = "text", colour_space = "text" },
  take = { item = "text", media = "text", start = "whole", ["end"] = "whole", otherwise = "operations" },
  track = { name = "text", ref = "text" },
  place = {
    media = "text",
    track = "text",
    record = "whole",
    start = "whole",
    ["end"] = "whole",
    frames = "whole",
    ref = "text",
  },
  copy_properties = { from = "text", to = "text", names = "texts", set = "values" },
  copy_grade = { from = "text", to = "text" },
  clip_colour = { to = "text", colour = "text" },
  remove_items = { items = "texts" },
  remove_take = { item = "text", media = "text" },
  remove_track = { name = "text" },
  remove_media = { paths = "texts", bin = "text" },
}

local ITEM = { id = "text", start = "whole", ["end"] = "whole" }

local is = {}

local function has(value, shape, ids)
  if type(value) ~= "table" or json.is_list(value) then
    return false
  end
  for name, kind in pairs(shape) do
    if not is[kind](value[name], ids) then
      return false
    end
  end
  return true
end

local function each(values, fits)
  if not json.is_list(values) then
    return false
  end
  for _, value in ipairs(values) do
    if not fits(value) then
      return false
    end
  end
  return true
end

function is.text(value)
  return type(value) == "string"
end

function is.whole(value)
  return type(value) == "number" and value == math.floor(value)
end

function is.texts(values)
  return each(values, is.text)
end

function is.items(values)
  return each(values, function(value) return has(value, ITEM) end)
end

function is.values(value)
  return has(value, {})
end

--- Whether all can be done, and none is called as another; `ids` are the names so far.
function is.operations(values, ids)
  return each(values, function(value)
    local shape = has(value, { id = "text", op = "text" }) and not ids[value.id] and plan.OPERATIONS[value.op]
    if not shape then
      return false
    end
    ids[value.id] = true
    return has(value, shape, ids)
  end)
end

local SKIPPED = { item = "text", track = "whole", at = "text", reason = "text" }
local SUMMARY = { markers = "whole", shots = "whole", stills = "whole", skipped = "skipped", warnings = "texts" }

function is.skipped(values)
  return each(values, function(value) return has(value, SKIPPED) end)
end

function is.summary(value)
  return has(value, SUMMARY)
end

--- The plan, once all of it makes sense. An error with a fault when not.
function plan.check(found)
  if not has(found, { session = "text", action = "text", operations = "operations", summary = "summary" }, {}) then
    error(fault.BAD_REPLY, 0)
  end
  return found
end

return plan
