-- Workspace > Scripts > SnapUpscale > Show Shots (Lua): the report of a clip in the browser.

local folder = "@LIB@" .. "/lua/"
local start, problem = loadfile(folder .. "start.lua")
if not start and os.getenv("LOCALAPPDATA") then
  -- Windows opens files by names in its own letters, which may not be those that the installer wrote.
  folder = os.getenv("LOCALAPPDATA") .. "/SnapUpscale/resolve/lua/"
  start = loadfile(folder .. "start.lua")
end
if start then
  start(folder, "show", { resolve = resolve, fusion = fusion or fu or app, bmd = bmd })
else
  print("SnapUpscale: its files are not where they were installed (" .. problem .. "). Install it again.")
end
