-- For bench/wrk.ts: sends requests at full load, or RATE requests per second if RATE is set, and prints wrk's measurements as one
-- line of JSON.
local ffi = require("ffi")
ffi.cdef[[
  typedef struct { long seconds; long nanoseconds; } store_time;
  int clock_gettime(int clock, store_time *time);
]]
local CLOCK_MONOTONIC = 1
local rate = tonumber(os.getenv("RATE"))

if rate then
  local time = ffi.new("store_time")
  local function now()
    ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
    return tonumber(time.seconds) * 1e3 + tonumber(time.nanoseconds) / 1e6
  end

  local due
  -- Milliseconds until an idle connection sends its next request. Late requests are caught up.
  function delay()
    due = (due or now()) + 1e3 / rate
    return math.max(0, math.floor(due - now()))
  end
end

-- Latencies as a histogram: microseconds in steps of 50, and the number of requests.
function done(summary, latency, requests)
  -- Errors by kind: connect, read, write, timeout, and status for 400 and above.
  local failed = {}
  for kind, count in pairs(summary.errors) do
    if count > 0 then failed[#failed + 1] = string.format('"%d × %s"', count, kind) end
  end

  local counts = {}
  for i = 1, #latency do
    local value, count = latency(i)
    local step = math.floor(value / 50) * 50
    counts[step] = (counts[step] or 0) + count
  end
  local steps = {}
  for value, count in pairs(counts) do steps[#steps + 1] = string.format("[%d,%d]", value, count) end

  io.write(string.format('{"requests": %d, "seconds": %f, "failed": [%s], "latencies": [%s]}\n',
    summary.requests, summary.duration / 1e6, table.concat(failed, ","), table.concat(steps, ",")))
end
