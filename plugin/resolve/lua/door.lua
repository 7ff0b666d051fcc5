-- The one way to call the editor: it knows how an answer looks that is none, and asks for facts once more.

local door = {}

--- The answer as it is. nil where this version of the editor lacks the method.
function door.ask(object, name, ...)
  local found, method = pcall(function() return object[name] end)
  if not found or not method then
    return nil
  end
  local whole, answer = pcall(method, object, ...)
  if whole then
    return answer
  end
end

--- Whether the editor's object has a method.
function door.can(object, name)
  local found, method = pcall(function() return object[name] end)
  return found and method ~= nil
end

local function is_object(value)
  return type(value) == "userdata" or (type(value) == "table" and getmetatable(value) ~= nil)
end

local function is_empty(answer)
  if type(answer) == "table" and not is_object(answer) then
    local key = next(answer)
    -- Some versions mark their lists with flags.
    return key == nil or (key == "__flags" and next(answer, key) == nil)
  end
  return answer == nil or answer == false or answer == ""
end

--- The answer to a question, which is asked again where it is empty: single calls fail while the editor saves.
local function insist(object, name, ...)
  local answer = door.ask(object, name, ...)
  if is_empty(answer) then
    return door.ask(object, name, ...)
  end
  return answer
end

--- A finite number, or nil.
function door.as_number(value)
  if type(value) == "number" and value - value == 0 then
    return value
  end
end

local function as_whole(value)
  local number = door.as_number(value)
  return number and number == math.floor(number) and number or nil
end

--- A string or a number as text without NUL, which can't be sent; else empty.
function door.as_text(value)
  if type(value) == "number" then
    return as_whole(value) and string.format("%d", value) or string.format("%.14g", value)
  end
  return type(value) == "string" and (value:gsub("%z", "")) or ""
end

--- Whether the answer is true: an error told in a string is not.
function door.agreed(object, name, ...)
  return door.ask(object, name, ...) == true
end

--- true or false; nil where there is no answer.
function door.truth(object, name, ...)
  local answer = door.ask(object, name, ...)
  if type(answer) == "number" then
    return answer ~= 0
  end
  if type(answer) == "boolean" then
    return answer
  end
end

function door.text(object, name, ...)
  return door.as_text(insist(object, name, ...))
end

function door.number(object, name, ...)
  return door.as_number(insist(object, name, ...))
end

function door.whole(object, name, ...)
  return as_whole(insist(object, name, ...))
end

--- One of the editor's objects. An error told in a string is none.
function door.thing(object, name, ...)
  local answer = insist(object, name, ...)
  return is_object(answer) and answer or nil
end

--- The objects of a table, by their numbers.
function door.objects(answer)
  local keys, found = {}, {}
  for key, value in pairs(type(answer) == "table" and answer or {}) do
    if type(key) == "number" and is_object(value) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  for index, key in ipairs(keys) do
    found[index] = answer[key]
  end
  return found
end

--- A list of the editor's objects.
function door.things(object, name, ...)
  return door.objects(insist(object, name, ...))
end

--- A table, under the names or numbers that the editor uses.
function door.facts(object, name, ...)
  local answer = insist(object, name, ...)
  return type(answer) == "table" and answer or {}
end

--- An object out of a table of facts, or nil.
function door.as_thing(value)
  return is_object(value) and value or nil
end

return door
