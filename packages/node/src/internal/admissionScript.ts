/**
 * The question to Redis whether a cost is admitted, as one script: it is judged
 * by all windows of its key, and charged, in one step and by one clock.
 *
 * @since 0.1.0
 */
import type { Window } from "@tickline/core/resilience/RollingLimit"
import * as Redis from "effect/persistence/Redis"

/**
 * For how many milliseconds from its question on an admission can be spent. In
 * the log it stands at the end of that time, so that the windows hold whenever
 * it is spent.
 *
 * @category constants
 * @since 0.1.0
 */
export const leaseMillis = 250

/**
 * A question. `spent` was spent while Redis was away, and is charged whatever is
 * left.
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  readonly prefix: string
  readonly key: string
  readonly windows: ReadonlyArray<Window>
  readonly cost: number
  readonly spares: boolean
  readonly spent: number
}

// For so long a process that does not ask is still one of those whose windows hold.
const keptMillis = 600_000

// Redis' own clock, one of whole windows: who asks needs none.
//
// `epoch` says which run of the server keeps the logs, and since when. Another run, or none, has lost some or all of them:
// until a window has passed since, it counts as full. A clock that was set back by more than a window is the same; by less,
// it stands still meanwhile.
//
// A log is a sorted set, by the time at which the cost is spent at the latest, one entry a millisecond: "what had been spent
// before, what had been after". So a window's sum is a difference of two, and nothing is added up.
const lua = `
local epochKey, logKey, windowsKey = KEYS[1], KEYS[2], KEYS[3]
local lease, cost, spares, spent = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == "1", tonumber(ARGV[4])

local function text(number) return string.format("%.17g", number) end
local function entry(found)
  local before, after = string.match(found[1], "^(%S+) (%S+)$")
  return tonumber(before), tonumber(after), tonumber(found[2])
end

local longest = 0
for i = 5, #ARGV, 2 do longest = math.max(longest, tonumber(ARGV[i + 1])) end

local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000
local run = string.match(redis.call("INFO", "server"), "run_id:(%w+)")
local epoch = redis.call("HMGET", epochKey, "run", "since")
local since = tonumber(epoch[2])
local last = redis.call("ZRANGE", logKey, -1, -1, "WITHSCORES")
local isAhead = last[2] ~= nil and tonumber(last[2]) > now + lease + longest
if epoch[1] ~= run or since == nil or since > now + lease or isAhead then
  since = now + lease
  redis.call("HSET", epochKey, "run", run, "since", text(since))
end
if isAhead then
  redis.call("DEL", logKey)
  last = {}
end
if last[2] ~= nil then now = math.max(now, tonumber(last[2]) - lease) end
local latest = now + lease

for i = 5, #ARGV, 2 do
  local kept = tonumber(ARGV[i + 1]) + ${keptMillis}
  redis.call("ZADD", windowsKey, text(now + kept), ARGV[i] .. " " .. ARGV[i + 1])
end
redis.call("ZREMRANGEBYSCORE", windowsKey, "-inf", "(" .. text(now))
local windows = {}
for i, window in ipairs(redis.call("ZRANGE", windowsKey, 0, -1)) do
  local limit, millis = string.match(window, "^(%S+) (%S+)$")
  windows[i] = { limit = tonumber(limit), millis = tonumber(millis) }
  longest = math.max(longest, windows[i].millis)
end
redis.call("PEXPIRE", windowsKey, math.ceil(longest + ${keptMillis}))

redis.call("ZREMRANGEBYSCORE", logKey, "-inf", "(" .. text(now - longest))
last = redis.call("ZRANGE", logKey, -1, -1, "WITHSCORES")
local total = 0
if last[1] ~= nil then total = select(2, entry(last)) end

local function charge(amount)
  local before = total
  local newest = redis.call("ZRANGE", logKey, -1, -1, "WITHSCORES")
  if newest[1] ~= nil and math.floor(tonumber(newest[2])) == math.floor(latest) then
    before = entry(newest)
    redis.call("ZREM", logKey, newest[1])
  end
  total = total + amount
  redis.call("ZADD", logKey, text(latest), text(before) .. " " .. text(total))
  redis.call("PEXPIRE", logKey, math.ceil(longest + 2 * lease))
end

if spent > 0 then charge(spent) end

local wait = 0
for _, window in ipairs(windows) do
  local limit = window.limit
  if spares then limit = math.max(1, limit - math.ceil(limit / 10)) end
  if now - since <= window.millis then wait = math.max(wait, since + window.millis + 1 - now) end
  local first = redis.call("ZRANGEBYSCORE", logKey, text(now - window.millis), "+inf", "WITHSCORES", "LIMIT", 0, 1)
  if cost > limit then
    wait = math.max(wait, window.millis)
  elseif first[1] ~= nil and total - entry(first) + cost > limit then
    local low, high = redis.call("ZRANK", logKey, first[1]), redis.call("ZCARD", logKey) - 1
    while low < high do
      local middle = math.floor((low + high) / 2)
      local _, after = entry(redis.call("ZRANGE", logKey, middle, middle, "WITHSCORES"))
      if total - after + cost <= limit then high = middle else low = middle + 1 end
    end
    local _, _, at = entry(redis.call("ZRANGE", logKey, low, low, "WITHSCORES"))
    wait = math.max(wait, at + window.millis + 1 - now)
  end
end
if wait == 0 and cost > 0 then charge(cost) end
return { math.ceil(wait), math.ceil(math.max(0, since + longest + 1 - now)), run }
`

/**
 * For how many milliseconds the cost is not admitted, 0 if it was; for how many
 * some window counts as full, because its log is not known that far back; and
 * the run of the server.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = readonly [waitMillis: number, unknownMillis: number, run: string]

/**
 * The script.
 *
 * @category constants
 * @since 0.1.0
 */
export const script = Redis.script(
  ({ cost, key, prefix, spares, spent, windows }: Question) => [
    `{${prefix}}:epoch`,
    `{${prefix}}:log:${key}`,
    `{${prefix}}:windows:${key}`,
    leaseMillis,
    cost,
    spares ? 1 : 0,
    spent,
    ...windows.flatMap(({ limit, windowMillis }) => [limit, windowMillis])
  ],
  { lua, numberOfKeys: 3 }
).withReturnType<Answer>()
