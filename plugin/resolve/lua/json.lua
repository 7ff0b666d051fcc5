-- JSON as the sidecar speaks it: strict, in ASCII when written, with lists and null told apart from objects.

local json = {}

json.null = setmetatable({}, { __tostring = function() return "null" end })

local LIST = {}
local MOST_DEPTH = 64
local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

--- Marks `values`, a table with the keys 1 to n, as a list, so that an empty one is written as such.
function json.list(values)
  return setmetatable(values, LIST)
end

function json.is_list(value)
  return getmetatable(value) == LIST
end

-- Writing

local function unit(code)
  return string.format("\\u%04x", code)
end

local function escaped(code)
  if code < 0x10000 then
    return unit(code)
  end
  code = code - 0x10000
  return unit(0xD800 + math.floor(code / 0x400)) .. unit(0xDC00 + code % 0x400)
end

local SHORTEST = { [2] = 0x80, [3] = 0x800, [4] = 0x10000 }

--- The character of UTF-8 that begins at `place`, and how many bytes it has; nil and 1 for what is none.
local function character(text, place)
  local first = text:byte(place)
  local length = first >= 0xF0 and 4 or first >= 0xE0 and 3 or 2
  if first < 0xC2 or first > 0xF4 then
    return nil, 1
  end
  local code = first % 2 ^ (7 - length)
  for offset = 1, length - 1 do
    local byte = text:byte(place + offset)
    if not byte or byte < 0x80 or byte > 0xBF then
      return nil, 1
    end
    code = code * 64 + byte - 0x80
  end
  if code < SHORTEST[length] or code > 0x10FFFF or (code >= 0xD800 and code <= 0xDFFF) then
    return nil, 1
  end
  return code, length
end

local function written_text(text)
  if not text:find('[^ !#-%[%]-~]') then
    return '"' .. text .. '"'
  end
  local parts, place = {}, 1
  while place <= #text do
    local plain = text:match('^[ !#-%[%]-~]+', place)
    if plain then
      parts[#parts + 1], place = plain, place + #plain
    elseif text:byte(place) < 0x80 then
      parts[#parts + 1], place = unit(text:byte(place)), place + 1
    else
      -- Names come from files of every origin: what is no UTF-8 becomes the sign for that.
      local code, length = character(text, place)
      parts[#parts + 1], place = escaped(code or 0xFFFD), place + length
    end
  end
  return '"' .. table.concat(parts) .. '"'
end

local function written_number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("a number is not finite", 0)
  end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return string.format("%d", value)
  end
  return string.format("%.17g", value)
end

local written

local function written_list(values, depth)
  local parts = {}
  for index = 1, #values do
    parts[index] = written(values[index], depth)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function written_object(values, depth)
  local names, parts = {}, {}
  for name in pairs(values) do
    if type(name) ~= "string" then
      error("a name is no text", 0)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for index, name in ipairs(names) do
    parts[index] = written_text(name) .. ":" .. written(values[name], depth)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function written(value, depth)
  local kind = type(value)
  if depth > MOST_DEPTH then
    error("it is nested too deeply", 0)
  elseif value == json.null then
    return "null"
  elseif kind == "string" then
    return written_text(value)
  elseif kind == "number" then
    return written_number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return (json.is_list(value) and written_list or written_object)(value, depth + 1)
  end
  error("a " .. kind .. " can't be written", 0)
end

--- JSON in ASCII, the names of objects in order. An error for what JSON can't say.
function json.encode(value)
  return written(value, 1)
end

-- Reading

local function wrong(place, what)
  error(string.format("no JSON at byte %d: %s", place, what), 0)
end

local function skipped(text, place)
  return text:find("[^ \t\r\n]", place) or #text + 1
end

local function utf8(code)
  if code < 0x80 then
    return string.char(code)
  elseif code < 0x800 then
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  elseif code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  local high = 0xF0 + math.floor(code / 262144)
  return string.char(high, 0x80 + math.floor(code / 4096) % 64, 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

--- The character of the escape \uXXXX at `place`, two of them for a high one, and the place behind.
local function read_unit(text, place)
  local code = tonumber(text:match("^\\u(%x%x%x%x)", place) or wrong(place, "a wrong escape"), 16)
  if code < 0xD800 or code > 0xDFFF then
    return utf8(code), place + 6
  end
  local low = tonumber(text:match("^\\u(%x%x%x%x)", place + 6) or "0", 16)
  if code > 0xDBFF or low < 0xDC00 or low > 0xDFFF then
    wrong(place, "half a character")
  end
  return utf8(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), place + 12
end

local function read_text(text, place)
  local parts, first = {}, place
  place = place + 1
  while true do
    local stop = text:find('[%z\1-\31"\\]', place) or wrong(first, "a text without an end")
    parts[#parts + 1] = text:sub(place, stop - 1)
    local sign, following = text:sub(stop, stop), text:sub(stop + 1, stop + 1)
    if sign == '"' then
      return table.concat(parts), stop + 1
    elseif sign == "\\" and following == "u" then
      parts[#parts + 1], place = read_unit(text, stop)
    elseif sign == "\\" and ESCAPES[following] then
      parts[#parts + 1], place = ESCAPES[following], stop + 2
    else
      wrong(stop, "a sign that must be escaped")
    end
  end
end

local read

local function read_list(text, place, depth)
  local values = json.list({})
  place = skipped(text, place + 1)
  if text:sub(place, place) == "]" then
    return values, place + 1
  end
  while true do
    values[#values + 1], place = read(text, place, depth)
    place = skipped(text, place)
    local sign = text:sub(place, place)
    if sign == "]" then
      return values, place + 1
    elseif sign ~= "," then
      wrong(place, "no comma in a list")
    end
    place = place + 1
  end
end

local function read_member(text, place, values, depth)
  place = skipped(text, place)
  if text:sub(place, place) ~= '"' then
    wrong(place, "no name")
  end
  local name
  name, place = read_text(text, place)
  place = skipped(text, place)
  if text:sub(place, place) ~= ":" then
    wrong(place, "no colon")
  elseif values[name] ~= nil then
    wrong(place, "a name comes twice")
  end
  values[name], place = read(text, place + 1, depth)
  return skipped(text, place)
end

local function read_object(text, place, depth)
  local values = {}
  place = skipped(text, place + 1)
  if text:sub(place, place) == "}" then
    return values, place + 1
  end
  while true do
    place = read_member(text, place, values, depth)
    local sign = text:sub(place, place)
    if sign == "}" then
      return values, place + 1
    elseif sign ~= "," then
      wrong(place, "no comma in an object")
    end
    place = place + 1
  end
end

local WORDS = { ["true"] = true, ["false"] = false, null = json.null }

local function read_word(text, place)
  local word = text:match("^%l+", place)
  if word and WORDS[word] ~= nil then
    return WORDS[word], place + #word
  end
  local digits = text:match("^%-?%d+%.?%d*[eE]?[+-]?%d*", place)
  local value = digits and not digits:find("^%-?0%d") and not digits:find("%.[eE]") and not digits:find("%.$")
    and tonumber(digits)
  if not value or value - value ~= 0 then
    wrong(place, "no value")
  end
  return value, place + #digits
end

local READERS = { ['"'] = read_text, ["["] = read_list, ["{"] = read_object }

function read(text, place, depth)
  if depth > MOST_DEPTH then
    wrong(place, "it is nested too deeply")
  end
  place = skipped(text, place)
  return (READERS[text:sub(place, place)] or read_word)(text, place, depth + 1)
end

--- The value that JSON in UTF-8 stands for. Lists know that they are lists, null is `json.null`. An error for anything
--- else, also for names that come twice.
function json.decode(text)
  local value, place = read(text, 1, 1)
  place = skipped(text, place)
  if place <= #text then
    wrong(place, "something follows")
  end
  return value
end

return json
