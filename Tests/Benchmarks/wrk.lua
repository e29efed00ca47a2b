-- One line that a script can read: requests per second, p99 in milliseconds, requests that failed.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("figures %.0f %.3f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(99) / 1000, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
