import { createHash } from 'node:crypto';
import type { Connection } from './connection.js';

/** A Lua script, sent by its digest and in full where the server does not know it yet (it may have restarted). */
class Script {
  readonly #digest: string;

  constructor(private readonly source: string) {
    this.#digest = createHash('sha1').update(source).digest('hex');
  }

  /** @returns the script's reply: null, a number, a string, or an array of these */
  run(connection: Connection, keys: string[], args: string[]): Promise<unknown> {
    const options = { keys, arguments: args };
    return connection.run(async (client): Promise<unknown> => {
      try {
        return await client.evalSha(this.#digest, options);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return await client.eval(this.source, options);
      }
    });
  }
}

/*
 * KEYS are always: the value, the index of names (a sorted set of score 0, hence sorted by name), the index of expiry
 * times (score: ms since 1970). Redis lets go of an expired value by itself; its name is taken from the indexes by LIST, and
 * a few at a time whenever a stream begins or a record is set, so that nobody ever has many to see to.
 */

const CLOCK = `
local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function forget_due(count)
  local now = string.format('%.0f', math.floor(now_us() / 1000))
  local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, count)
  for _, name in ipairs(due) do
    redis.call('ZREM', KEYS[2], name)
    redis.call('ZREM', KEYS[3], name)
  end
  return #due
end
local function expire(key, name, ttl)
  redis.call('PEXPIRE', key, ttl)
  redis.call('ZADD', KEYS[3], string.format('%.0f', math.floor(now_us() / 1000) + ttl), name)
end
local function keep(key, name)
  redis.call('PERSIST', key)
  redis.call('ZREM', KEYS[3], name)
end
`;

/** ARGV: name, then seq and data by turns. Entry ids are `<seq+1>-0`, so that each seq can be stored once only. Replies how many were. */
export const APPEND = new Script(`${CLOCK}
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^%d+')) - 1 or 0
if last == 0 then
  forget_due(10)
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
local skipped = 0
for i = 2, #ARGV, 2 do
  local seq = tonumber(ARGV[i])
  if seq > last + 1 then
    return redis.error_reply(string.format('GAP %.0f %.0f', last, seq))
  end
  if seq > last then
    redis.call('XADD', KEYS[1], string.format('%.0f-0', seq + 1), 'd', ARGV[i + 1])
    last = seq
  else
    skipped = skipped + 1
  end
end
return skipped
`);

/** ARGV: name, then seq and data by turns. The time to live stays. */
export const REPLACE = new Script(`
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^%d+')) - 1 or 0
if last ~= tonumber(ARGV[#ARGV - 1]) then return 0 end
local ttl = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do
  redis.call('XADD', KEYS[1], string.format('%.0f-0', tonumber(ARGV[i]) + 1), 'd', ARGV[i + 1])
end
if ttl > 0 then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1
`);

/** ARGV: name, ttl in ms (0: delete). */
export const EXPIRE = new Script(`${CLOCK}
local ttl = tonumber(ARGV[2])
if ttl <= 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return redis.call('DEL', KEYS[1])
end
if redis.call('EXISTS', KEYS[1]) == 1 then expire(KEYS[1], ARGV[1], ttl) end
return 1
`);

/** ARGV: name, value, ttl in ms, '' or 'keep', version that must be stored or ''. */
export const SET = new Script(`${CLOCK}
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= version then return false end
version = version > 0 and version + 1 or now_us()
local text = string.format('%.0f', version)
forget_due(10)
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'version', text)
redis.call('ZADD', KEYS[2], 0, ARGV[1])
if ARGV[3] == '' then keep(KEYS[1], ARGV[1])
elseif ARGV[3] ~= 'keep' then expire(KEYS[1], ARGV[1], tonumber(ARGV[3])) end
return text
`);

/** ARGV: name, addend, ttl in ms or ''. */
export const INCREMENT = new Script(`${CLOCK}
local fresh = redis.call('EXISTS', KEYS[1]) == 0
local value = redis.call('HINCRBY', KEYS[1], 'value', ARGV[2])
if fresh then
  redis.call('HSET', KEYS[1], 'version', string.format('%.0f', now_us()))
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
  if ARGV[3] ~= '' then expire(KEYS[1], ARGV[1], tonumber(ARGV[3])) else keep(KEYS[1], ARGV[1]) end
else
  redis.call('HINCRBY', KEYS[1], 'version', 1)
end
return value
`);

/** ARGV: lowest and highest name, as ZRANGEBYLEX takes them. KEYS[1] is not used. */
export const LIST = new Script(`${CLOCK}
while forget_due(1000) > 0 do end
return redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2])
`);
