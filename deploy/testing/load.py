"""A steady load through the load balancer: list reads, registrations, streamed chats; and what became of each."""

import http.client
import json
import re
import threading
import time

from .deployment import request

SEQUENCE = re.compile(rb'"sequence":(\d+)')
# What a client sees of a server that is gone, or of one that is not there.
BROKEN = (OSError, http.client.HTTPException)


class Tally:
    """What happened in one row of the table."""

    def __init__(self, name):
        self.name = name
        self.reads = self.streams = self.registrations = 0
        self.failed_reads, self.failed_streams, self.cut_streams = [], [], []
        self.lost, self.doubled = [], []
        self.whole_after = None
        self.problems = []
        # Addresses of gateways whose streams may break now.
        self.victims = set()

    @property
    def is_kept(self):
        return not (self.failed_reads or self.failed_streams or self.lost or self.doubled or self.problems)


class Load:
    """Runs until it is stopped. `row` takes what ends; a registration belongs to the row in which it began."""

    def __init__(
        self, deployment, reads_per_second=20, streams=8, registrations_per_second=1.0, events=120, interval_ms=100
    ):
        self.deployment = deployment
        self.front, self.headers = deployment.front, deployment.headers
        self.lock = threading.Lock()
        self.row = Tally("start")
        self.stopping = threading.Event()
        self.registered = {}
        self.number = 0
        # Registrations and streams in work, and when each began.
        self.registering, self.open_streams = {}, {}
        self.last_registration_began = 0.0
        self.events = events
        self.models = []
        self.stream_count = streams
        for name in [f"sim-{n:04}" for n in range(len(deployment.simulator("GET", "/control/fleet")["endpoints"]))]:
            behaviour = {"behaviour": {"chunk_interval_ms": interval_ms}}
            endpoint = deployment.simulator("PATCH", f"/control/endpoints/{name}", behaviour)
            self.models += [each["id"] for each in endpoint["models"]]
        readers = 8
        pause = readers / reads_per_second
        self.threads = [threading.Thread(target=self.read_on, args=(pause, n)) for n in range(readers)]
        self.threads += [threading.Thread(target=self.stream_on, args=(n,)) for n in range(streams)]
        if registrations_per_second:
            self.threads.append(threading.Thread(target=self.register_on, args=(1 / registrations_per_second,)))

    def __enter__(self):
        for thread in self.threads:
            thread.daemon = True
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=150)

    def begin(self, row):
        with self.lock:
            self.row = row

    # ---- reads

    def read_on(self, interval, number):
        """Half of the readers keep their connection, as clients' libraries do; the others make one for each read."""
        keeps = number % 2 == 0
        connection = None
        while not self.stopping.wait(interval):
            reused = connection is not None
            connection = connection or http.client.HTTPConnection(*self.front, timeout=10)
            problem = None
            try:
                connection.request("GET", "/v1/models", headers=self.headers)
                response = connection.getresponse()
                body = response.read()
                if response.status != 200 or b'"id"' not in body:
                    problem = f"{response.status} {body[:120]!r}"
                if not keeps or response.will_close:
                    connection = connection.close()
            except BROKEN as error:
                connection = connection.close()
                # A connection that was idle may be closed at any time: a library then makes a new one, so here too.
                if reused and isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
                    continue
                problem = repr(error)
            with self.lock:
                self.row.reads += 1
                if problem:
                    self.row.failed_reads.append(problem)

    # ---- streams

    def stream_on(self, number):
        time.sleep(number * 0.1)
        while not self.stopping.is_set():
            with self.lock:
                model = self.models[(self.row.streams + number) % len(self.models)]
                self.open_streams[number] = time.monotonic()
            gateway, problem = self.stream(model)
            with self.lock:
                del self.open_streams[number]
                self.row.streams += 1
                if problem and gateway in self.row.victims:
                    self.row.cut_streams.append(problem)
                elif problem:
                    self.row.failed_streams.append(f"{gateway}: {problem}")
            if problem:
                time.sleep(0.5)

    def stream(self, model):
        """The address of the gateway that served it, and what was wrong or None: every event must come, and the end."""
        connection = http.client.HTTPConnection(*self.front, timeout=60)
        gateway = None
        expected = 0
        try:
            body = {"model": model, "stream": True, "max_tokens": self.events}
            body["messages"] = [{"role": "user", "content": "Hello"}]
            headers = {**self.headers, "Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            response = connection.getresponse()
            gateway = response.headers.get("X-Rollcall-Gateway")
            if response.status != 200:
                return gateway, f"{response.status} {response.read(300)!r}"
            is_done = False
            for line in response:
                is_done = is_done or line.startswith(b"data: [DONE]")
                if found := SEQUENCE.search(line):
                    if int(found[1]) != expected:
                        return gateway, f"event {found[1]!r} in place of {expected}"
                    expected += 1
            return gateway, None if is_done and expected == self.events else f"ended after {expected} events"
        except BROKEN as error:
            return gateway, f"{error!r} after {expected} events"
        finally:
            connection.close()

    # ---- registrations

    def register_on(self, interval):
        while not self.stopping.wait(interval):
            with self.lock:
                self.number += 1
                number, row = self.number, self.row
                self.registering[number] = time.monotonic()
            threading.Thread(target=self.register, args=(number, row), daemon=True).start()

    def register(self, number, row):
        began = time.monotonic()
        name = f"bench/model-{number}-GGUF"
        try:
            problem, revision = self.register_until_answered(name, f"test-compose-{number}", began + 120)
        except Exception as error:  # The test itself failed; that must not look like a success.
            problem, revision = repr(error), None
        with self.lock:
            del self.registering[number]
            row.registrations += 1
            if problem:
                row.lost.append(f"{name}: {problem}")
            else:
                self.registered[name] = (row, revision)
                self.last_registration_began = max(self.last_registration_began, began)

    def register_until_answered(self, name, key, deadline):
        """As a careful client does: the same key until there is an outcome."""
        self.deployment.simulator("PUT", f"/control/hub/repositories/{name}", REPOSITORY)
        problem = "no try"
        while time.monotonic() < deadline:
            try:
                status, headers, body = request(
                    self.front, "POST", "/v0/models/register", {"repo": name},
                    {**self.headers, "Idempotency-Key": key}, timeout=40)
            except BROKEN as error:
                problem = repr(error)
            else:
                if status == 201:
                    return None, json.loads(body)["revision"]
                problem = f"{status} {body[:200]!r}"
                if status == 409:
                    # Done by an earlier try that was not remembered.
                    with self.lock:
                        self.row.doubled.append(f"{name}: {problem}")
                    return None, None
                if status not in (202, 429, 502, 503, 504):
                    return problem, None
            time.sleep(0.5)
        return problem, None

    def settle(self, row, seconds=130):
        """Waits for all that has begun until now, and compares the row's registrations with what the catalog has."""
        now = time.monotonic()

        def waits():
            with self.lock:
                return any(began < now for began in [*self.registering.values(), *self.open_streams.values()])

        while waits() and time.monotonic() < now + seconds:
            time.sleep(0.2)
        with self.lock:
            wanted = {name: revision for name, (of, revision) in self.registered.items() if of is row}
        # What one gateway has answered the others know a moment later.
        time.sleep(1)
        records = self.deployment.read("/v0/models")["models"]
        for name, revision in wanted.items():
            found = [each for each in records if each["repo"].lower() == name.lower()]
            if not found:
                row.lost.append(f"{name}: answered with 201, and not in the catalog")
            elif len(found) > 1:
                row.doubled.append(f"{name}: {len(found)} records")
            elif revision is not None and found[0].get("revision", revision) != revision:
                row.doubled.append(f"{name}: revision {revision} became {found[0]['revision']}")


REPOSITORY = {
    "info": {
        "downloads": 1, "likes": 1, "lastModified": "2026-03-12T10:30:05.000Z", "tags": ["gguf", "license:apache-2.0"],
        "gguf": {"total": 8030261312, "architecture": "llama", "context_length": 131072},
    },
    "files": {"README.md": "Made up.\n"},
    "generated": {"model-Q4_K_M.gguf": 50000},
}
