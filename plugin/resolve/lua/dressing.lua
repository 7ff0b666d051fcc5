-- Operations that make a placed still sit, look and show as the clip under it.

local use = ...
local api, run = use("items"), use("run")

local dressing = {}

-- Scalings under which a larger picture sits as a smaller one does; that of the plan would undo them.
local FILL, STRETCH = 3, 4

local function fail(message, ...)
  error(run.failed(string.format(message, ...)), 0)
end

local function plain(value)
  if type(value) == "boolean" then
    return value and 1 or 0
  end
  return tonumber(value)
end

--- Whether two values are alike; some versions give numbers as text, and truth as numbers.
local function same(one, other)
  local first, second = plain(one), plain(other)
  if first and second then
    return math.abs(first - second) < 1e-4
  end
  return one == other
end

local function of_original(state, operation)
  local id = operation.from
  if not state.properties[id] then
    local known = api.properties(state:item(id).item)
    if not next(known) then
      fail("DaVinci Resolve does not tell how the clip under the still sits")
    end
    state.properties[id] = known
  end
  return state.properties[id]
end

--- The names in the order in which they are set, and the values: those of the original, then those to set.
local function wanted_of(state, operation)
  local known, names, values = of_original(state, operation), {}, {}
  for _, name in ipairs(operation.names) do
    if known[name] ~= nil and values[name] == nil then
      names[#names + 1], values[name] = name, known[name]
    end
  end
  local others = {}
  for name, value in pairs(operation.set) do
    if values[name] == nil then
      others[#others + 1] = name
    end
    values[name] = value
  end
  table.sort(others)
  for _, name in ipairs(others) do
    names[#names + 1] = name
  end
  local shape = state.properties[operation.from].Scaling
  if same(shape, FILL) or same(shape, STRETCH) then
    if values.Scaling == nil then
      names[#names + 1] = "Scaling"
    end
    values.Scaling = shape
  end
  return names, values
end

--- The names whose values differ, those first that tie others together.
local function differing(names, values, there)
  local ties, others = {}, {}
  for _, name in ipairs(names) do
    if there[name] == nil or not same(values[name], there[name]) then
      table.insert(name:find("Gang", 1, true) and ties or others, name)
    end
  end
  for _, name in ipairs(others) do
    ties[#ties + 1] = name
  end
  return ties
end

--- Copy properties of an item to what was placed, as far as they differ, then set others.
function dressing.copy_properties(state, operation)
  local placed = state.placed[operation.to]
  local names, values = wanted_of(state, operation)
  for _ = 1, 2 do
    local left = differing(names, values, api.properties(placed))
    for _, name in ipairs(left) do
      api.set_property(placed, name, values[name])
    end
    if #left == 0 then
      return { set = values }
    end
  end
  local left = differing(names, values, api.properties(placed))
  if #left > 0 then
    table.sort(left)
    fail("the still does not sit as the clip under it: %s", table.concat(left, ", "))
  end
  return { set = values }
end

--- Copy the grade of an item to what was placed; the numbers of nodes tell whether it is there.
function dressing.copy_grade(state, operation)
  local original, placed = state:item(operation.from).item, state.placed[operation.to]
  local agreed = api.copy_grade(original, placed) or api.copy_grade(original, placed)
  if not agreed or api.nodes(original) ~= api.nodes(placed) then
    fail("DaVinci Resolve does not copy the grade of %s to its still", api.name_of(original))
  end
  return {}
end

--- Write into a movie what it is, and in which colour space.
function dressing.describe(state, operation)
  local media = state.media[operation.media].media
  local note, space = operation.note, operation.colour_space
  for _ = 1, 2 do
    if api.comment(media) ~= note then
      api.set_comment(media, note)
    end
    if space ~= "" and api.colour_space(media) ~= space then
      api.set_colour_space(media, space)
    end
  end
  local found = { note = api.comment(media), colour_space = api.colour_space(media) }
  if found.note ~= note or (space ~= "" and found.colour_space ~= space) then
    fail("DaVinci Resolve does not keep what is written into the movie of a still")
  end
  return found
end

--- Colour what was placed.
function dressing.clip_colour(state, operation)
  local placed = state.placed[operation.to]
  if not (api.colour(placed, operation.colour) or api.colour(placed, operation.colour)) then
    fail("DaVinci Resolve does not colour the still %s", operation.colour)
  end
  return {}
end

return dressing
