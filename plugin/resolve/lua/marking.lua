-- Operations on markers. They come by the hundred, so that the markers are read once for many.

local use = ...
local run = use("run")

local marking = {}

local function stands(state, marker)
  for _, each in ipairs(state.editor:markers()) do
    if each.custom == marker.custom then
      return true
    end
  end
  return false
end

local function counted(markers)
  local count = {}
  for _, marker in ipairs(markers) do
    count[marker.custom] = (count[marker.custom] or 0) + 1
  end
  return count
end

local function missing(state, operation, there)
  for _, marker in ipairs(there) do
    if marker.frame == operation.frame then
      return run.failed(string.format(
        "another marker stands on frame %d of the timeline, and is left as it is", operation.frame
      ))
    end
  end
  return run.failed(state.editor:answers() and "DaVinci Resolve adds no marker" or run.BUSY)
end

local function remove(state, marker)
  if stands(state, marker) then
    state.editor:delete_marker(marker.custom)
  end
  return not stands(state, marker)
end

local function restore(state, marker)
  if not stands(state, marker) then
    state.editor:add_marker(marker)
  end
  return stands(state, marker)
end

local function by_custom(markers)
  local found = {}
  for _, marker in ipairs(markers) do
    found[marker.custom] = marker
  end
  return found
end

--- All markers, once those that are missing have been added again.
local function added(state, operations)
  local there = state.editor:markers()
  local standing, wanted, again = by_custom(there), by_custom(operations), {}
  for custom in pairs(wanted) do
    if not standing[custom] then
      again[#again + 1] = custom
    end
  end
  table.sort(again)
  for _, custom in ipairs(again) do
    state.editor:add_marker(wanted[custom])
  end
  return #again > 0 and state.editor:markers() or there
end

--- Add markers; by the ids of the operations what was found, or why it failed.
function marking.add(state, operations)
  for _, operation in ipairs(operations) do
    state:remember(operation, string.format("a marker at frame %d", operation.frame), function()
      return remove(state, operation)
    end)
    state.editor:add_marker(operation)
  end
  local there = added(state, operations)
  local standing, found = by_custom(there), {}
  for _, operation in ipairs(operations) do
    found[operation.id] = standing[operation.custom] or missing(state, operation, there)
  end
  return found
end

local function remember_removed(state, operations, before)
  local wanted = by_custom(operations)
  for _, marker in ipairs(before) do
    local operation = wanted[marker.custom]
    if operation then
      state:remember(operation, "the end of a marker", function()
        return restore(state, marker)
      end)
    end
  end
end

--- Delete markers by their hidden data, until none with it is left.
function marking.remove(state, operations)
  local before = state.editor:markers()
  local count = counted(before)
  remember_removed(state, operations, before)
  for _, operation in ipairs(operations) do
    for _ = 1, count[operation.custom] or 0 do
      state.editor:delete_marker(operation.custom)
    end
  end
  local left, again = counted(state.editor:markers()), {}
  for _, operation in ipairs(operations) do
    if left[operation.custom] or #before == 0 then
      again[#again + 1] = operation.custom
    end
  end
  for _, custom in ipairs(again) do
    for _ = 1, math.max(1, left[custom] or 0) do
      state.editor:delete_marker(custom)
    end
  end
  left = #again > 0 and counted(state.editor:markers()) or left
  local found = {}
  for _, operation in ipairs(operations) do
    local stays = left[operation.custom]
    found[operation.id] = stays and run.failed(stays .. " markers stay", { left = stays }) or { left = 0 }
  end
  return found
end

return marking
