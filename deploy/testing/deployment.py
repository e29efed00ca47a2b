"""A deployment by compose.yaml of its own, and what a test does to it."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

DEPLOY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROCESS_PORT = 8400
SIMULATOR_PORT = 20000
PROJECT = "rollcall-test"
ENDPOINTS = 24


def run(*command, check=True, timeout=600):
    """What a command prints; raises with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def missing():
    """Why there can be no test here, or None."""
    if not shutil.which("docker"):
        return "there is no container engine (docker)"
    if subprocess.run(["docker", "info"], capture_output=True, timeout=60).returncode != 0:
        return "no container engine answers (docker info)"
    try:
        compose_command()
    except FileNotFoundError:
        return "there is neither `docker compose` nor docker-compose"
    return None


def compose_command():
    if subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise FileNotFoundError("compose")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def request(address, method, path, body=None, headers=None, timeout=10):
    """Status, headers, and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body)
        headers = dict(headers or {})
        if data is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


class Container:
    def __init__(self, inspected):
        state, labels = inspected["State"], inspected["Config"]["Labels"]
        self.id = inspected["Id"]
        self.service = labels["com.docker.compose.service"]
        self.number = int(labels["com.docker.compose.container-number"])
        self.name = f"{self.service} {self.number}"
        self.is_running = state["Status"] == "running"
        self.pid = state.get("Pid") or 0
        self.health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status") or None
        networks = inspected["NetworkSettings"]["Networks"]
        self.addresses = {name: network.get("IPAddress") or "" for name, network in networks.items()}

    @property
    def address(self):
        """Where this host reaches the process."""
        return (self.addresses.get(f"{PROJECT}_outside", ""), PROCESS_PORT)

    def readiness(self):
        """What /readyz says, None where nothing answers or it is not ready."""
        try:
            status, _, body = request(self.address, "GET", "/readyz", timeout=2)
            return json.loads(body) if status == 200 else None
        except (OSError, http.client.HTTPException, ValueError):
            return None


class Deployment:
    def __init__(self, directory, image):
        self.directory = directory
        self.image = image
        self.environment = os.path.join(directory, ".env")
        self.port = free_port()
        self.front = ("127.0.0.1", self.port)
        run(os.path.join(DEPLOY, "prepare"), "--demo", directory)
        settings = {
            "ROLLCALL_IMAGE": image,
            "ROLLCALL_PUBLISH": f"127.0.0.1:{self.port}",
            "ROLLCALL_NAME_GATEWAY": "true",
            "ROLLCALL_POLL_INTERVAL": "2",
            "ROLLCALL_HUB_REFRESH_INTERVAL": "86400",
            "ROLLCALL_SIMULATOR_CHURN": "0",
            "ROLLCALL_SIMULATOR_ENDPOINTS": str(ENDPOINTS),
            "ROLLCALL_ENDPOINTS": ",".join(
                f"sim-{n:04}=http://simulator:{SIMULATOR_PORT}/e/sim-{n:04}" for n in range(ENDPOINTS)),
        }
        for name in ("RABBITMQ_IMAGE", "HAPROXY_IMAGE"):
            if name in os.environ:
                settings[name] = os.environ[name]
        with open(self.environment, "a", encoding="utf-8") as file:
            file.write("\n" + "".join(f"{key}={value}\n" for key, value in settings.items()))
        with open(os.path.join(directory, "secrets", "admin_key"), encoding="utf-8") as file:
            self.headers = {"Authorization": "Bearer " + file.read().strip()}
        self.arguments = ["--project-name", PROJECT, "--env-file", self.environment]
        self.health_checks = HealthChecks(self)

    def compose(self, *arguments, check=True):
        file = ["--file", os.path.join(DEPLOY, "compose.yaml")]
        return run(*compose_command(), *self.arguments, *file, *arguments, check=check)

    def up(self, *arguments):
        with self.health_checks:
            self.compose("up", "--detach", *arguments)

    def down(self):
        self.compose("--profile", "demo", "down", "--volumes", "--timeout", "5")

    def rolling_restart(self, service):
        with self.health_checks:
            run(os.path.join(DEPLOY, "rolling-restart"), service, *self.arguments)

    def wrong_rights(self):
        """Where the broker's definitions do not give what the image says that each role needs, no more and no less."""
        with open(os.path.join(DEPLOY, "rabbitmq", "definitions.json"), encoding="utf-8") as file:
            given = {
                f"{each['user']} '{each['configure']}' '{each['write']}' '{each['read']}'"
                for each in json.load(file)["permissions"]}
        said = run("docker", "run", "--rm", "--network", "none", self.image, "rollcall", "topology", "rights")
        needed = {text.partition("-p '/' ")[2] for text in said.splitlines() if text}
        return [f"needed: {each}" for each in needed - given] + [f"given: {each}" for each in given - needed]

    def containers(self, *services):
        """Those of the services, or of all; stopped ones as well."""
        label = f"label=com.docker.compose.project={PROJECT}"
        ids = run("docker", "ps", "--all", "--quiet", "--filter", label).split()
        if not ids:
            return []
        # One may go between the two commands.
        found = [Container(each) for each in json.loads(run("docker", "inspect", *ids, check=False) or "[]")]
        chosen = [each for each in found if not services or each.service in services]
        return sorted(chosen, key=lambda each: (each.service, each.number))

    def again(self, container):
        """The same container as it is now; None where it is gone."""
        found = json.loads(run("docker", "inspect", container.id, check=False) or "[]")
        return Container(found[0]) if found else None

    def kill(self, container, how):
        """Ends the process from outside of the engine, as a crash does; the engine is to start it again."""
        try:
            os.kill(container.pid, how)
        except (PermissionError, ProcessLookupError):
            # The engine's processes are another user's, or another machine's.
            run("docker", "kill", "--signal", signal.Signals(how).name, container.id)

    def simulator(self, method, path, body=None):
        address = self.containers("simulator")[0].address[0]
        status, _, answer = request((address, SIMULATOR_PORT), method, path, body)
        if status >= 300:
            raise RuntimeError(f"the simulator: {method} {path}: {status} {answer[:200]}")
        return json.loads(answer) if answer else None

    def read(self, path, address=None):
        """JSON of a GET through the load balancer, or of one gateway; raises where it is not 200."""
        status, _, body = request(address or self.front, "GET", path, headers=self.headers)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:300]}")
        return json.loads(body)


class HealthChecks:
    """Runs the containers' health checks where the engine does not: podman leaves them to timers of systemd."""

    def __init__(self, deployment):
        self.deployment = deployment
        self.stop = threading.Event()
        self.thread = None

    def __enter__(self):
        if shutil.which("podman") and not os.path.isdir("/run/systemd/system") and self.is_podman():
            self.stop.clear()
            self.thread = threading.Thread(target=self.work, daemon=True)
            self.thread.start()

    def __exit__(self, *_):
        if self.thread:
            self.stop.set()
            self.thread.join()
            self.thread = None

    @staticmethod
    def is_podman():
        return "podman" in run("docker", "version", "--format", "{{json .Server}}", check=False).lower()

    def work(self):
        while not self.stop.wait(1):
            for container in self.deployment.containers():
                if container.is_running and container.health not in (None, "healthy"):
                    run("podman", "healthcheck", "run", container.id, check=False)


def answers(question):
    """Whether it can be answered, and with yes: for what may not be there yet."""
    try:
        return bool(question())
    except (OSError, http.client.HTTPException, RuntimeError):
        return False


def until(condition, seconds, what, step=0.5):
    """Waits for a condition; gives how long it took, raises where that is too long."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(step)
    return time.monotonic() - start
