"""Measures the time from a changed poll answer until the gateway's list shows it.

    changes.py LISTEN_PORT GATEWAY_PORT CHANGES

Is the inference servers (each answer at /e/<n>/v1/models names a model that no answer has named before) and a client
that asks the gateway for its list over and over. Prints the microseconds of each change, one a line.
"""

import asyncio
import json
import re
import sys
import time

BETWEEN_LISTS = 0.0003  # seconds: how coarse the measurement is
LIMIT = 60  # seconds for all of it


class Changes:
    def __init__(self, wanted):
        self.wanted = wanted
        self.sent = {}  # endpoint → (model that it named last, when); none once that model has been listed
        self.number = 0
        self.took = []

    def answer(self, endpoint):
        """The next list of an endpoint. What it named before and was never listed counts with the time until now."""
        if endpoint in self.sent:
            self.took.append(time.monotonic() - self.sent[endpoint][1])
        self.number += 1
        model = f"change-{endpoint}-{self.number}"
        data = [{"id": model, "object": "model", "created": int(time.time()), "owned_by": "vllm",
                 "root": model, "parent": None, "max_model_len": 8096}]
        return model, json.dumps({"object": "list", "data": data}).encode()

    def listed(self, body, at):
        models = set(re.findall(rb"change-[0-9]+-[0-9]+", body))
        for endpoint, (model, sent) in list(self.sent.items()):
            if model.encode() in models:
                del self.sent[endpoint]
                self.took.append(at - sent)


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return lines[0], headers


async def serve(changes, reader, writer):
    try:
        while True:
            request, _ = await read_head(reader)
            match = re.match(r"GET /e/(\d+)/v1/models ", request)
            if not match:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            model, body = changes.answer(match[1])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                         % (len(body), body))
            changes.sent[match[1]] = (model, time.monotonic())
    except (asyncio.IncompleteReadError, ConnectionResetError, asyncio.CancelledError):
        writer.close()  # the poller has closed the connection, or all is measured


async def watch(changes, port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    etag = '"none"'
    while len(changes.took) < changes.wanted:
        writer.write(f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nIf-None-Match: {etag}\r\n\r\n".encode())
        status, headers = await read_head(reader)
        body = await reader.readexactly(int(headers.get("content-length", 0))) if " 200" in status else b""
        if body:
            etag = headers["etag"]
            changes.listed(body, time.monotonic())
        await asyncio.sleep(BETWEEN_LISTS)


async def main():
    listen_port, gateway_port, wanted = map(int, sys.argv[1:])
    changes = Changes(wanted)
    server = await asyncio.start_server(lambda *pair: serve(changes, *pair), "127.0.0.1", listen_port)
    try:
        await asyncio.wait_for(watch(changes, gateway_port), LIMIT)
    except TimeoutError:
        sys.exit(f"only {len(changes.took)} of {wanted} changes were seen within {LIMIT} s")
    server.close()
    for took in changes.took[:wanted]:
        print(f"{took * 1e6:.0f}")


asyncio.run(main())
