-- What an action came to, in words.

local summary = {}

summary.MENU = "Workspace > Scripts > SnapUpscale > "
--- The entries of the menu, by action.
summary.NAMES = {
  mark = "Mark Scene Cuts (Lua)",
  show = "Show Shots (Lua)",
  stills = "Upscale Shots to Stills (Lua)",
  undo = "Undo Last SnapUpscale (Lua)",
  remove_markers = "Remove SnapUpscale Markers (Lua)",
}
local MOST = 20

--- `message` without a full stop at its end.
function summary.bare(message)
  return (message:gsub("%.+$", ""))
end

local function count(number, what)
  return string.format("%d %s%s", number, what, number == 1 and "" or "s")
end

local function add_short(lines, more)
  local seen, known = {}, 0
  for _, line in ipairs(more) do
    if not seen[line] then
      seen[line] = true
      known = known + 1
      if known <= MOST then
        lines[#lines + 1] = "  " .. line
      end
    end
  end
  if known > MOST then
    lines[#lines + 1] = string.format("  and %d more", known - MOST)
  end
end

local function given_up(action, outcome)
  local lines = {}
  if #outcome.stays > 0 then
    lines[1] = "Some of it was made already, and may still be there:"
    add_short(lines, outcome.stays)
  end
  if outcome.removed then
    lines[#lines + 1] =
      "Stills of an earlier run were removed; the copy of the timeline still has them, if one was made."
  end
  if #outcome.stays > 0 then
    lines[#lines + 1] = "Then choose " .. summary.MENU .. summary.NAMES.undo .. ", which takes it back."
  end
  if #lines == 0 then
    lines[1] = "Nothing on the timeline was changed."
  end
  local title = summary.NAMES[action] .. ": " .. summary.bare(outcome.trouble) .. "."
  return { title = title, lines = lines, needs_eyes = true }
end

--- How many operations of the kinds `ops` are, or are not, in the set `ids`.
local function counted(plan, ops, ids, inside)
  local found = 0
  for _, operation in ipairs(plan.operations) do
    if ops[operation.op] and (ids[operation.id] == true) == inside then
      found = found + 1
    end
  end
  return found
end

local function title_of(plan, outcome, failed)
  local told, action = plan.summary, plan.action
  local missing = counted(plan, { add_marker = true, take = true }, failed, true)
  if action == "mark" then
    return string.format("%s in %s.", count(told.markers - missing, "marker"), count(told.shots, "shot"))
  elseif action == "stills" then
    return string.format("%s of %s on the timeline.", count(told.stills - missing, "still"), count(told.shots, "shot"))
  elseif action == "remove_markers" then
    return count(counted(plan, { remove_marker = true }, failed, false), "marker") .. " removed."
  end
  return #outcome.results > 1 and "Undone." or "There was nothing left to undo."
end

--- The messages of the edits that were not made, and their ids; a take that has others in its place does not count.
local function failures(plan, outcome)
  local replaced, bad, failed = {}, {}, {}
  for _, operation in ipairs(plan.operations) do
    replaced[operation.id] = operation.otherwise ~= nil and #operation.otherwise > 0
  end
  for _, result in ipairs(outcome.results) do
    if not result.ok and not replaced[result.id] then
      bad[#bad + 1] = result.message
      failed[result.id] = true
    end
  end
  return bad, failed
end

local function left_out(skipped)
  local lines = {}
  for index, each in ipairs(skipped) do
    lines[index] = string.format("%s, track %d, %s: %s", each.item, each.track, each.at, each.reason)
  end
  return lines
end

--- The end of an action: a `title` that says it in one line, more `lines`, and whether it `needs_eyes`: the timeline is
--- not what the user asked for.
function summary.of(plan, outcome)
  if outcome.trouble ~= "" then
    return given_up(plan.action, outcome)
  end
  local told, lines = plan.summary, {}
  local bad, failed = failures(plan, outcome)
  if #bad > 0 then
    lines[1] = string.format("%d of %d edits were not made:", #bad, #outcome.results)
    add_short(lines, bad)
    local undone = plan.action == "mark" or plan.action == "stills"
    lines[#lines + 1] = undone and summary.MENU .. summary.NAMES.undo .. " takes back what was made."
      or "Choose it again to go on."
  end
  if #told.skipped > 0 then
    lines[#lines + 1] = string.format("Left out: %d", #told.skipped)
    add_short(lines, left_out(told.skipped))
  end
  add_short(lines, told.warnings)
  local nothing = (plan.action == "mark" or plan.action == "stills") and told.markers + told.stills == 0
  return { title = title_of(plan, outcome, failed), lines = lines, needs_eyes = #bad > 0 or (nothing and #lines > 0) }
end

return summary
