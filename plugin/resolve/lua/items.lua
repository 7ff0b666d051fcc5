-- The items of a timeline and the media that they show; with editor.lua, all of the API that SnapUpscale uses.

local use = ...
local door = use("door")

local items = {}

--- The id of an item; empty when it isn't there.
function items.id_of(item)
  return door.text(item, "GetUniqueId")
end

function items.name_of(item)
  return door.text(item, "GetName")
end

--- Where an item stands, in absolute record frames, the end exclusive; nil where that can't be read.
function items.span(item)
  local first, last = door.number(item, "GetStart"), door.number(item, "GetEnd")
  if first and last then
    return math.floor(first), math.floor(last)
  end
end

--- Whether this version tells source frames, and offsets to parts of frames: from 19.0.2 on.
function items.can_tell_parts(item)
  return door.can(item, "GetSourceStartFrame")
end

--- Frames before and behind the item that its source has; with `parts`, to parts of frames.
function items.offsets(item, parts)
  if parts then
    return door.number(item, "GetLeftOffset", true), door.number(item, "GetRightOffset", true)
  end
  return door.number(item, "GetLeftOffset"), door.number(item, "GetRightOffset")
end

function items.source_start(item)
  return door.whole(item, "GetSourceStartFrame")
end

function items.source_end(item)
  return door.whole(item, "GetSourceEndFrame")
end

--- Per cent, from 21.1 on.
function items.speed(item)
  return door.as_number(door.facts(item, "GetSpeed").Percentage)
end

--- What an item is, from 21.1 on.
function items.type_of(item)
  return door.text(item, "GetType")
end

function items.fusion_comps(item)
  return door.whole(item, "GetFusionCompCount") or 0
end

--- Whether an item is shown; so it is where nothing else is told.
function items.is_enabled(item)
  return door.truth(item, "GetClipEnabled") ~= false or door.truth(item, "GetClipEnabled") ~= false
end

--- The media of an item; nil for titles, generators and transitions.
function items.media_of(item)
  return door.thing(item, "GetMediaPoolItem")
end

--- Where and how the picture of an item sits.
function items.properties(item)
  return door.facts(item, "GetProperty")
end

function items.set_property(item, name, value)
  return door.agreed(item, "SetProperty", name, value)
end

function items.copy_grade(item, other)
  return door.agreed(item, "CopyGrades", { other })
end

--- Number of nodes of the grade of an item.
function items.nodes(item)
  return door.whole(item, "GetNumNodes")
end

--- Colour an item; whether it is so now.
function items.colour(item, name)
  door.agreed(item, "SetClipColor", name)
  return door.text(item, "GetClipColor") == name
end

--- Number of takes; 0 when the item is no take selector, nil where that can't be read.
function items.takes(item)
  return door.whole(item, "GetTakesCount")
end

--- The number of the selected take, from 1; 0 when the item is no take selector.
function items.selected_take(item)
  return door.whole(item, "GetSelectedTakeIndex") or 0
end

function items.take_media(item, index)
  return door.as_thing(door.facts(item, "GetTakeByIndex", index).mediaPoolItem)
end

--- Add a take. The answer means nothing: look at the item.
function items.add_take(item, media, first, last)
  door.ask(item, "AddTake", media, first, last)
end

--- Select a take; whether it is selected.
function items.select_take(item, index)
  door.agreed(item, "SelectTakeByIndex", index)
  return items.selected_take(item) == index
end

function items.delete_take(item, index)
  door.agreed(item, "DeleteTakeByIndex", index)
end

function items.media_id(media)
  return door.text(media, "GetUniqueId")
end

--- Everything that the editor tells about a medium, as text.
function items.media_facts(media)
  local found = {}
  for name, value in pairs(door.facts(media, "GetClipProperty")) do
    found[tostring(name)] = door.as_text(value)
  end
  return found
end

--- What the comments of a medium say.
function items.comment(media)
  return door.text(media, "GetMetadata", "Comments")
end

--- Write the comments of a medium.
function items.set_comment(media, note)
  return door.agreed(media, "SetMetadata", "Comments", note)
end

--- The colour space in which the editor takes a medium.
function items.colour_space(media)
  return door.text(media, "GetClipProperty", "Input Color Space")
end

--- Say in which colour space a medium is.
function items.set_colour_space(media, name)
  return door.agreed(media, "SetClipProperty", "Input Color Space", name)
end

--- A whole number among the facts of a medium.
function items.media_count(told, name)
  local digits = (told[name] or ""):match("^(%d+)%.?[^.]*$") or (told[name] or ""):match("^(%d+)%.")
  return digits and tonumber(digits)
end

return items
