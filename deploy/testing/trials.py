"""What is done to a deployment under load, one thing after another, each healed before the next."""

import signal
import time

from .deployment import PROJECT, request, run, until
from .load import BROKEN, Tally

PROCESSES = ("gateway", "poller", "registrar")
# Longer than any of its streams, which SIGTERM lets come to their end.
HEALED_WITHIN = 180
CUT_SECONDS = 30


class Trials:
    def __init__(self, deployment, load):
        self.deployment = deployment
        self.load = load
        self.counts = {"gateway": 2, "poller": 2, "registrar": 2}
        self.rows = []

    # ---- rows

    def trial(self, name, act, victim=None, breaks_streams=False):
        """One row: what `act` does, until everything is whole and the load has gone on for a while."""
        row = Tally(name)
        if victim and breaks_streams:
            row.victims = set(victim.addresses.values())
        self.load.begin(row)
        time.sleep(2)
        start = time.monotonic()
        try:
            healed_at = act() or start
            is_whole = lambda: self.is_whole(healed_at, victim)
            until(is_whole, HEALED_WITHIN, f"everything whole after: {name}")
            row.whole_after = time.monotonic() - healed_at
        except Exception as error:  # A row of its own for each failure: the other rows are still worth knowing.
            row.problems.append(f"{type(error).__name__}: {error} {self.unwhole}")
        try:
            self.load.settle(row)
        except Exception as error:
            row.problems.append(f"{type(error).__name__}: {error}")
        self.rows.append(row)
        show(row)

    unwhole = ""

    def is_whole(self, since, victim=None):
        """Every process there is runs and is ready, the gateways agree, and a registration begun since is done."""
        containers = self.deployment.containers(*PROCESSES)
        running = [each for each in containers if each.is_running]
        for service, count in self.counts.items():
            found = sum(each.service == service for each in running)
            if found != count:
                self.unwhole = f"({found} of {count}: {service})"
                return False
        if victim and any(each.id == victim.id and each.pid == victim.pid for each in running):
            self.unwhole = f"({victim.name} has not ended)"
            return False
        for container in running:
            said = container.readiness()
            if said is None:
                self.unwhole = f"({container.name} is not ready)"
                return False
            broker = said.get("broker")
            if isinstance(broker, dict) and set(broker.values()) != {"connected"}:
                self.unwhole = f"({container.name}: broker {broker})"
                return False
        if self.load.last_registration_began < since:
            self.unwhole = "(no registration begun since was done)"
            return False
        return self.bodies_are_equal()

    def bodies_are_equal(self):
        tags = set()
        for container in self.deployment.containers("gateway"):
            try:
                status, headers, _ = request(container.address, "GET", "/v1/models", headers=self.deployment.headers)
            except BROKEN:
                status = 0
            if status != 200 or int(headers["X-Catalog-Age"]) > 15:
                self.unwhole = f"({container.name} answers {status} or is old)"
                return False
            tags.add(headers["ETag"])
        self.unwhole = f"({len(tags)} different lists)"
        return len(tags) == 1

    # ---- faults

    def faults(self):
        for service in PROCESSES:
            for how in (signal.SIGKILL, signal.SIGTERM):
                for number in range(self.counts[service]):
                    victim = self.deployment.containers(service)[number]
                    self.trial(
                        f"{how.name} {victim.name}", lambda: self.end(victim, how), victim,
                        breaks_streams=how == signal.SIGKILL)
        self.trial("load balancer reloads, 3 times", self.reload)
        self.trial("broker restarts", self.restart_broker)
        victim = self.deployment.containers("gateway")[0]
        self.trial(f"{victim.name} cut from the broker, {CUT_SECONDS} s", lambda: self.cut(victim))

    def end(self, victim, how):
        """The engine is to start it again; where it does not, that is done here."""
        self.deployment.kill(victim, how)

        def gone():
            now = self.deployment.again(victim)
            return now is None or now.pid != victim.pid

        until(gone, 90, f"{victim.name} ends at {how.name}")
        try:
            until(lambda: (now := self.deployment.again(victim)) and now.is_running, 20, "started again by the engine")
        except TimeoutError:
            run("docker", "start", victim.id)

    def reload(self):
        balancer = self.deployment.containers("loadbalancer")[0]
        for _ in range(3):
            run("docker", "kill", "--signal", "HUP", balancer.id)
            reloaded_at = time.monotonic()
            time.sleep(3)
        return reloaded_at

    def restart_broker(self):
        broker = self.deployment.containers("rabbitmq")[0]
        run("docker", "restart", "--time", "60", broker.id)

    def cut(self, victim):
        network = f"{PROJECT}_broker"
        run("docker", "network", "disconnect", network, victim.id)
        time.sleep(CUT_SECONDS)
        run("docker", "network", "connect", network, victim.id)
        return time.monotonic()

    # ---- scale

    def scale(self):
        self.trial("scale to 5 gateways, 4 pollers", lambda: self.scale_to(gateway=5, poller=4, registrar=2))
        print("  polls:", "  ".join(f"{poller} {share:.0%}" for poller, share in sorted(self.poll_shares().items())))
        self.trial("back to one of each", lambda: self.scale_to(gateway=1, poller=1, registrar=1))
        self.trial("and to two of each", lambda: self.scale_to(gateway=2, poller=2, registrar=2))

    def scale_to(self, **counts):
        self.counts = counts
        arguments = [word for service, count in counts.items() for word in ("--scale", f"{service}={count}")]
        self.deployment.up("--no-recreate", *arguments)

    def poll_shares(self, seconds=30):
        """What part of the polls each poller makes, by who made the latest of each endpoint at many times."""
        polls = {}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for endpoint in self.deployment.read("/v0/endpoints")["endpoints"]:
                polls[endpoint["name"], endpoint["last_polled_at"]] = endpoint["poller"]
            time.sleep(0.5)
        return {poller: sum(each == poller for each in polls.values()) / len(polls) for poller in set(polls.values())}

    # ---- rolling restart

    def rolling(self):
        until(lambda: len(self.load.open_streams) == self.load.stream_count, 30, "all streams are open")
        name = f"rolling restart, {self.load.stream_count} streams"
        self.trial(name, lambda: self.deployment.rolling_restart("gateway"))


HEADINGS = ("", "reads", "failed", "streams", "cut", "failed", "registered", "lost", "doubled", "whole after")
WIDTHS = (36, 7, 7, 8, 5, 7, 11, 5, 8, 12)


def line(cells):
    first, *others = (str(cell) for cell in cells)
    return first.ljust(WIDTHS[0]) + "".join(cell.rjust(width) for cell, width in zip(others, WIDTHS[1:]))


def show(row):
    whole = "never" if row.whole_after is None else f"{row.whole_after:.1f} s"
    cells = (
        row.name, row.reads, len(row.failed_reads), row.streams, len(row.cut_streams), len(row.failed_streams),
        row.registrations, len(row.lost), len(row.doubled), whole)
    print(line(cells), flush=True)
    for kind, what in (
        ("read", row.failed_reads), ("stream", row.failed_streams), ("lost", row.lost), ("doubled", row.doubled),
        ("problem", row.problems)):
        for each in what[:3]:
            print(f"    {kind}: {each}", flush=True)
