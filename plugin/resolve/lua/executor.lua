-- Applies a plan to the timeline: each operation is read back, told to the sidecar, and on failure taken back.

local use = ...
local api, dressing, kept, marking, placing, plans, removing, results, run =
  use("items"), use("dressing"), use("kept"), use("marking"), use("placing"), use("plan"), use("removing"),
  use("results"), use("run")

local BATCH = 100 -- markers that are made between two looks at them
local CHANGED = "the timeline was changed since: %s. Choose the menu again; what was found in the footage is kept"

local executor = {}

--- Look whether the project, the timeline and the items are as they were.
local function require_unchanged(state, operation)
  local function changed(what, ...)
    error(run.failed(CHANGED:format(what:format(...))), 0)
  end
  state.editor:refresh()
  if state.editor:project_id() ~= operation.project then
    changed("another project is open")
  elseif state.editor:timeline_id() ~= operation.timeline then
    changed("another timeline is open")
  end
  for _, item in ipairs(operation.items) do
    local standing = state:standing(item.id)
    if not standing then
      changed("a clip at frame %d is gone", item.start)
    end
    local first, last = api.span(standing.item)
    if first ~= item.start or last ~= item["end"] then
      changed("%s was moved or trimmed", api.name_of(standing.item))
    end
  end
  return {}
end

-- The operations that are done one by one: each gives what it found, or throws its failure.
local ONE = {
  require = require_unchanged,
  checkpoint = placing.checkpoint,
  bin = placing.use_bin,
  import_media = placing.import_media,
  describe = dressing.describe,
  take = placing.take,
  track = placing.own_track,
  place = placing.place,
  copy_properties = dressing.copy_properties,
  copy_grade = dressing.copy_grade,
  clip_colour = dressing.clip_colour,
  remove_items = removing.items,
  remove_take = removing.take,
  remove_track = removing.track,
  remove_media = removing.media,
}
-- The operations that are done many at a time: by their ids what was found, or the failure.
local MANY = { add_marker = marking.add, remove_marker = marking.remove }
local ON_ANY_PAGE = { require = true, add_marker = true, remove_marker = true }
-- The operations that others build on.
local NEEDED = { require = true, checkpoint = true, bin = true, import_media = true, track = true, place = true }
-- What could not be known for ours later, if the script were killed.
local TOLD_AT_ONCE = { checkpoint = true, track = true }

--- The operations in order, markers in batches, all others alone.
local function grouped(operations)
  local groups = {}
  for _, operation in ipairs(operations) do
    local group = groups[#groups]
    if group and MANY[operation.op] and group[1].op == operation.op and #group < BATCH then
      group[#group + 1] = operation
    else
      groups[#groups + 1] = { operation }
    end
  end
  return groups
end

--- What was found, or the failure.
local function one(state, operation)
  local whole, result = pcall(ONE[operation.op], state, operation)
  if whole or (type(result) == "table" and result.failed) then
    return result
  elseif type(result) == "table" and result.code then
    return run.failed(result.message)
  end
  error(result, 0)
end

local function stop(message)
  error({ stop = true, message = message }, 0)
end

--- Do a group of operations. An error that stops the plan when the rest of it makes no sense.
local function perform(state, told, group, needed)
  local op = group[1].op
  local found = MANY[op] and MANY[op](state, group) or { [group[1].id] = one(state, group[1]) }
  for _, operation in ipairs(group) do
    local result = found[operation.id]
    told:add(operation, result)
    if result.failed then
      if result.spoiled or needed[op] then
        stop(result.message)
      elseif not state.editor:answers() then
        stop(run.BUSY)
      end
      for _, inner in ipairs(operation.otherwise or {}) do
        perform(state, told, { inner }, needed)
      end
    end
  end
  if TOLD_AT_ONCE[op] then
    told:tell()
  end
end

--- Look once more for what was placed. An error that stops the plan.
local function confirm(state, told)
  local gone = placing.confirm(state)
  for _, operation in ipairs(gone) do
    local message = "DaVinci Resolve has dropped the still at frame %d"
    told:add(operation, run.failed(message:format(operation.record)))
  end
  if #gone > 0 then
    stop(string.format("DaVinci Resolve has dropped %d stills that were placed", #gone))
  end
end

--- The ids of operations of which something is still there after it was taken back.
local function staying_of(plan, told, left, removed, copy)
  local staying = {}
  for _, made in ipairs(left) do
    staying[made.operation] = true
  end
  if removed or #left > 0 then
    -- That the first operation succeeded tells the sidecar that the timeline is not as it was.
    for _, operation in ipairs(plan.operations) do
      staying[operation.id] = staying[operation.id] or told:op_of(operation.id) == "require"
    end
  end
  if removed then
    told:add_removals(staying)
    staying[copy] = true
  end
  return staying
end

--- Take back what was made, and say of every operation that nothing came of it, but for what stays.
local function given_up(state, plan, told, trouble)
  local removed, copy = told:removed(), ""
  for _, operation in ipairs(plan.operations) do
    copy = operation.op == "checkpoint" and copy == "" and operation.id or copy
  end
  -- Where something is gone for good, the copy of the timeline still has it.
  local left = state:take_back(removed and copy or "")
  local staying = staying_of(plan, told, left, removed, copy)
  for _, operation in ipairs(plan.operations) do
    told:fail(operation, trouble, staying)
  end
  told:tell()
  local stays = {}
  for index, made in ipairs(left) do
    stays[index] = made.what
  end
  return { results = told:all(), trouble = trouble, stays = stays, removed = removed }
end

local function needed_of(plan)
  local needed = { remove_items = plan.action == "stills" }
  for op in pairs(NEEDED) do
    needed[op] = true
  end
  return needed
end

local function pages_of(operations)
  for _, operation in ipairs(operations) do
    if not ON_ANY_PAGE[operation.op] then
      return { edit = true }
    end
  end
end

--- Do all of the plan; the outcome when it was given up half-way, else nil.
local function work_through(state, plan, told)
  local needed = needed_of(plan)
  local whole, thrown = pcall(function()
    for _, group in ipairs(grouped(plan.operations)) do
      perform(state, told, group, needed)
    end
    confirm(state, told)
  end)
  if not whole then
    -- Also after a fault of ours: what was made must not stay.
    return given_up(state, plan, told, type(thrown) == "table" and thrown.message or tostring(thrown))
  end
end

--- Apply a plan. `report` is called with results, a part at a time. Where an operation fails that others need, what
--- was made is taken back. The page, the playhead and the current bin are as before at the end. Gives the `results` of
--- every operation that was tried, the `trouble` for which it was given up (else empty), what `stays` of what was made
--- then, and whether something of an earlier run was `removed` for good before.
function executor.apply(editor, plan, report)
  plans.check(plan)
  local state, told = run.new(editor), results.new(report)
  local whole, outcome = pcall(kept.during, editor, pages_of(plan.operations), function()
    return work_through(state, plan, told)
  end)
  if not whole then
    if type(outcome) ~= "table" or not outcome.message then
      error(outcome, 0)
    end
    return given_up(state, plan, told, outcome.message)
  elseif outcome then
    return outcome
  end
  told:tell()
  return { results = told:all(), trouble = "", stays = {}, removed = false }
end

return executor
