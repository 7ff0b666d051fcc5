-- What the user looks at in the editor, kept while a script works and put back at its end.

local use = ...
local fault = use("fault")

local kept = {}

local function put_back(editor, page, playhead, bin)
  for _ = 1, 2 do -- single calls fail while the editor saves
    local current = editor:bin()
    if bin and (not current or editor:bin_id(current) ~= editor:bin_id(bin)) then
      editor:go_to_bin(bin)
    end
    if playhead ~= "" and editor:playhead() ~= playhead then
      editor:move_playhead(playhead)
    end
  end
  for _ = 1, 2 do
    if page ~= "" and editor:page() ~= page then
      editor:open_page(page)
    end
  end
end

--- What `work` gives, done on one of `pages`, a set, or on any; the page, the playhead and the current bin are as they
--- were afterwards. An error with a fault when the page that is needed can't be opened.
function kept.during(editor, pages, work)
  local page = editor:page()
  if pages and not pages[page] and not (editor:open_page("edit") or editor:open_page("edit")) then
    error(fault.not_answering("DaVinci Resolve does not open its Edit page"), 0)
  end
  local playhead, bin = editor:playhead(), editor:bin()
  local whole, result = pcall(work)
  put_back(editor, page, playhead, bin)
  if not whole then
    error(result, 0)
  end
  return result
end

return kept
