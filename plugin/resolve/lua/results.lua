-- What is read back of a plan's operations, on its way to the sidecar.

local use = ...
local json = use("json")

local MOST_UNTOLD = 200 -- each time it is told, the editor writes its preferences
local FOR_GOOD = { remove_items = true, remove_take = true, remove_track = true, remove_media = true }

local Results = {}
Results.__index = Results

local results = {}

--- No results so far; `report` is called with lists of them.
function results.new(report)
  return setmetatable({ report = report, order = {}, by_id = {}, ops = {}, untold = {} }, Results)
end

local function put(self, id, ok, found, message)
  if not self.by_id[id] then
    self.order[#self.order + 1] = id
  end
  self.by_id[id] = { id = id, ok = ok, found = found, message = message }
  self.untold[#self.untold + 1] = id
end

--- What an operation found, or its failure.
function Results:add(operation, result)
  self.ops[operation.id] = operation.op
  if result.failed then
    put(self, operation.id, false, result.found, result.message)
  else
    put(self, operation.id, true, result, "")
  end
  if #self.untold >= MOST_UNTOLD then
    self:tell()
  end
end

--- That nothing came of an operation and of those in its place, unless something of it is `staying`.
function Results:fail(operation, trouble, staying)
  if not staying[operation.id] then
    put(self, operation.id, false, {}, trouble)
  end
  for _, inner in ipairs(operation.otherwise or {}) do
    if self.by_id[inner.id] then
      self:fail(inner, trouble, staying)
    end
  end
end

--- Tell what is not told yet.
function Results:tell()
  local telling, seen = json.list({}), {}
  for _, id in ipairs(self.untold) do
    if not seen[id] then
      seen[id] = true
      telling[#telling + 1] = self.by_id[id]
    end
  end
  self.untold = {}
  if #telling > 0 then
    self.report(telling)
  end
end

--- The kind of an operation that was tried; else nil.
function Results:op_of(id)
  return self.ops[id]
end

--- Whether anything was removed for good.
function Results:removed()
  for id, op in pairs(self.ops) do
    if FOR_GOOD[op] and self.by_id[id].ok then
      return true
    end
  end
  return false
end

--- Add to the set `ids` the operations that were tried and remove for good.
function Results:add_removals(ids)
  for id, op in pairs(self.ops) do
    if FOR_GOOD[op] then
      ids[id] = true
    end
  end
end

--- The results so far, in the order of the operations.
function Results:all()
  local every = {}
  for index, id in ipairs(self.order) do
    every[index] = self.by_id[id]
  end
  return every
end

return results
