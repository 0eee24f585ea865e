/** Begins the list of a URL; ten digits follow: at how many bytes it is to be looked through. */
export const LIST_MARK = 'AXURLS1 ';
/** No list is looked through before it has so many bytes: that is about a hundred lines. */
const SMALLEST_LOOK = 8192;

const SHARED = `
local function ours(key)
  return redis.call('TYPE', key).ok == 'string' and redis.call('GETRANGE', key, 0, 7) == '${LIST_MARK}'
end
local function head(bytes)
  return string.format('${LIST_MARK}%010d\\n', math.max(${SMALLEST_LOOK}, 2 * bytes))
end
`;

/**
 * Appends ARGV[1] to the list, which lives ARGV[2] ms from now at least, for ever if that is negative. Answers 1 when it
 * has grown so much that it is to be looked through. Never reads it: one URL may have as many keys as there are users.
 */
export const ADD = `${SHARED}
local key, lifetime = KEYS[1], tonumber(ARGV[2])
local left = redis.call('PTTL', key)
if not ours(key) then
  redis.call('SET', key, head(0))
  left = -2
end
local length = redis.call('APPEND', key, ARGV[1])
if lifetime < 0 then redis.call('PERSIST', key)
elseif left == -2 or (left >= 0 and left < lifetime) then redis.call('PEXPIRE', key, ARGV[2]) end
return length >= (tonumber(redis.call('GETRANGE', key, 8, 17)) or 0) and 1 or 0`;

/**
 * Takes out the lines of ARGV[1], each a whole one or only its key, and has the list say when to look through it again.
 * A list without lines goes. A few are looked for: one by one through all lines costs fifty times as much.
 */
export const REMOVE = `${SHARED}
local key, few = KEYS[1], 10
if not ours(key) then return 0 end
local gone, count = {}, 0
for line in string.gmatch(ARGV[1], '[^\\n]+') do
  if not gone[line] then count = count + 1 end
  gone[line] = true
end
local list = string.sub(redis.call('GET', key), 19)
if count <= few then
  for line in pairs(gone) do
    local from, to = string.find(list, '\\n' .. line, 1, true)
    while from do
      local rest = string.find(list, '[ \\n]', to + 1)
      if rest == to + 1 then
        list = string.sub(list, 1, from) .. string.sub(list, string.find(list, '\\n', rest, true) + 1)
        to = from - 1
      end
      from, to = string.find(list, '\\n' .. line, to + 1, true)
    end
  end
else
  local kept = {}
  for line in string.gmatch(list, '[^\\n]+') do
    if not gone[line] and not gone[string.match(line, '^[^ ]+')] then kept[#kept + 1] = line end
  end
  list = '\\n' .. table.concat(kept, '\\n') .. '\\n'
end
if not string.find(list, '[^\\n]') then return redis.call('DEL', key) end
local left = redis.call('PTTL', key)
redis.call('SET', key, head(#list) .. string.sub(list, 2))
if left >= 0 then redis.call('PEXPIRE', key, math.max(left, 1)) end
return 1`;
