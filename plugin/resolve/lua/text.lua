-- Texts in UTF-8 and paths, compared and cut without a library for either.

local text = {}

--- The first `most` characters.
function text.cut(value, most)
  if #value <= most then
    return value
  end
  local place = 0
  for _ = 1, most do
    place = place + 1
    for _ = 1, 3 do -- what is no text may go on for ever
      local byte = value:byte(place + 1) or 0
      place = place + (byte >= 0x80 and byte < 0xC0 and 1 or 0)
    end
  end
  return value:sub(1, place)
end

local MARK = "[\204\205][\128-\191]"

local function plain(path)
  return (path:gsub("\\", "/"):gsub("/+$", ""))
end

--- What is the same of a path whether its letters are whole or come apart into letters and marks.
local function bones(path)
  return (path:gsub(".?" .. MARK, "?"):gsub("[\128-\255]+", "?"):gsub("%?+", "?"))
end

--- Whether two texts name one file: editors turn slashes, and systems decompose letters.
function text.same_path(one, other)
  one, other = plain(one), plain(other)
  if one == other then
    return true
  end
  local decomposed = one:find(MARK) ~= nil or other:find(MARK) ~= nil
  return decomposed and bones(one) == bones(other)
end

return text
