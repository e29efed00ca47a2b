-- A chat completion over and over; MODEL is in the environment. One line that a script can read: requests per second,
-- p50 and p99 in microseconds, requests that failed, requests in all.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = string.format('{"model":"%s","messages":[{"role":"user","content":"Say something."}]}', os.getenv("MODEL"))

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("figures %.0f %.0f %.0f %d %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.requests))
end
