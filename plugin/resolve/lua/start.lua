-- Runs an entry of the menu: start(FOLDER, ACTION, HOST [, SCOPE [, OPTIONS]]). There is no `require` in the sandbox.

local folder, action, host, scope, options = ...
local loaded = {}
host.getenv = os.getenv

local function use(name)
  if not loaded[name] then
    local chunk, problem = loadfile(folder .. name .. ".lua")
    loaded[name] = (chunk or error(problem, 0))(use, host)
  end
  return loaded[name]
end

return use("menu").run(action, scope, options)
