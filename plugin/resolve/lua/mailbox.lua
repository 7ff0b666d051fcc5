-- Asks the sidecar from inside of a sandbox without files and sockets: letters go out through the editor's preferences,
-- answers come in as files that hold a table.

local use, host = ...
local json, fault = use("json"), use("fault")

local mailbox = {}

local LETTERS = 1
local KEY = "SnapUpscale.Outbox"
local MOST_BYTES = 2 ^ 20
local FIRST_SECONDS, PATIENCE_SECONDS, LONGEST_SECONDS = 5, 30, 12 * 3600
local LOOK_SECONDS, SLOW_LOOK_SECONDS, HELLO_SECONDS = 0.05, 0.25, 1
local MOST_STEP_SECONDS = 1
-- Where the inbox may be: a variable of the environment, and what follows it; see mailbox_places.py.
local FOLDERS = {
  { "APPDATA", "/Blackmagic Design/DaVinci Resolve/Support/Fusion/SnapUpscale/" },
  { "HOME", "/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/SnapUpscale/" },
  { "HOME", "/Library/Application Support/Fusion/SnapUpscale/" },
  { "HOME", "/.local/share/DaVinciResolve/Fusion/SnapUpscale/" },
}
-- What can be asked again without harm when the sidecar was started anew.
local REPEATABLE = { session = true, plan = true, readback = true, cancel = true, job = true }

local Box = {}
Box.__index = Box

--- The table that the file at `path` gives, or nil. The file sees no function at all.
local function load_table(path)
  local chunk = loadfile(path, "t")
  if not chunk then
    return nil
  end
  setfenv(chunk, {})
  local whole, found = pcall(chunk)
  return whole and type(found) == "table" and found or nil
end

local function hex(text)
  return (text:gsub(".", function(sign) return string.format("%02x", sign:byte()) end))
end

--- What tells this script from all others, also from those of earlier days.
local function new_client()
  local made = host.bmd.createuuid and host.bmd.createuuid()
  local text = type(made) == "string" and made or string.format("%d-%.6f-%s", os.time(), os.clock(), tostring({}))
  return text:gsub("[^%w_-]", ""):sub(1, 64)
end

local function find_hello()
  for _, folder in ipairs(FOLDERS) do
    local root = host.getenv(folder[1])
    local path = root and root .. folder[2]
    local hello = path and load_table(path .. "sidecar.lua")
    if hello then
      return path, hello
    end
  end
end

--- The mailbox of the sidecar that runs. An error `fault.NOT_RUNNING` after `seconds`, by default a few, without one.
function mailbox.connect(seconds)
  local folder, hello = find_hello()
  for _ = 1, (seconds or FIRST_SECONDS) / SLOW_LOOK_SECONDS do
    if not folder then
      host.bmd.wait(SLOW_LOOK_SECONDS)
      folder, hello = find_hello()
    end
  end
  if not folder then
    error(fault.NOT_RUNNING, 0)
  end
  local box = { folder = folder, run = hello.run, beat = hello.beat, client = new_client(), number = 0, met = false }
  box.seen, box.now = host.bmd.gettime(), 0
  fault.check_number(hello.protocol, hello.oldest)
  return setmetatable(box, Box)
end

--- What the sidecar answers to `name` about `id` with `body`; see mailbox_answers.py. An error with a fault.
function Box:ask(name, id, body)
  local letter = {
    mailbox = LETTERS,
    protocol = fault.PROTOCOL,
    client = self.client,
    ask = name,
    id = id,
    body = body,
  }
  self:post(letter)
  local started = self.now
  self.heard, self.looked = started, started
  local again = false
  while self.now - started < LONGEST_SECONDS do
    host.bmd.wait(self.now - started < 2 and LOOK_SECONDS or SLOW_LOOK_SECONDS)
    self:tick()
    local answer = self:answer()
    if answer then
      return answer
    end
    local patience = self.met and PATIENCE_SECONDS or FIRST_SECONDS
    if self.now - self.looked >= HELLO_SECONDS and self:is_new_run(letter) then
      self:post(letter)
    elseif self.now - self.heard >= patience then
      error(self.met and fault.LOST or fault.NOT_RUNNING, 0)
    elseif self.now - self.heard >= patience / 2 and not again then
      -- The preferences may not have been written while something else had them open.
      again = true
      self:drop()
    end
  end
  error(fault.LOST, 0)
end

--- Counts the seconds in `now`, but for those in which the computer slept or its clock was set: the sidecar then had no
--- time to answer either.
function Box:tick()
  local seen = host.bmd.gettime()
  self.now = self.now + math.max(0, math.min(seen - self.seen, MOST_STEP_SECONDS))
  self.seen = seen
end

--- Leaves nothing of the timeline in the editor's preferences.
function Box:close()
  self.letter = ""
  self:drop()
end

--- Puts the letter where the sidecar looks. Another script's may lie there, once that one is served.
function Box:drop()
  if not self.replaced then
    host.fusion:SetPrefs(KEY, self.letter)
    host.fusion:SavePrefs()
  end
end

function Box:post(letter)
  self.number = self.number + 1
  letter.run, letter.number = self.run, self.number
  local text = json.encode(letter)
  if #text > MOST_BYTES then
    error(fault.TOO_LARGE, 0)
  end
  self.letter = hex(text)
  self:drop()
end

function Box:answer()
  local found = load_table(self.folder .. "inbox-" .. self.number .. ".lua")
  if not found or found.run ~= self.run or found.client ~= self.client or found.number ~= self.number then
    return nil
  end
  self.met = true
  local whole, data = pcall(json.decode, found.body)
  if not whole or type(data) ~= "table" then
    error(fault.BAD_REPLY, 0)
  end
  -- Jobs and sessions have an error of their own beside other names.
  if data.error and next(data, next(data)) == nil then
    error(fault.make(data.error.code, data.error.message, data.error.hint), 0)
  end
  return data
end

--- Whether another sidecar runs now, which is to be asked again. An error when that can't be, and when another script
--- has taken this one's place.
function Box:is_new_run(letter)
  self.looked = self.now
  local hello = load_table(self.folder .. "sidecar.lua")
  if not hello then
    return false
  end
  if hello.run ~= self.run then
    self.run, self.beat, self.heard = hello.run, hello.beat, self.now
    if self.met and not REPEATABLE[letter.ask] then
      error(fault.LOST, 0)
    end
    return true
  end
  if hello.beat ~= self.beat then
    self.beat, self.heard = hello.beat, self.now
    if hello.client == self.client then
      self.met = true
    elseif self.met then
      self.replaced = true
      error(fault.REPLACED, 0)
    end
  end
  return false
end

return mailbox
