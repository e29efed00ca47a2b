"""Node's own fetch."""
import json
import shutil
import subprocess

from checks import *

node = shutil.which("node")
if not node:
    skip("node is not installed")
version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip().removeprefix("v")
client = Client("Node fetch", None, base="", key="header `Authorization: Bearer …`", version=version)
seen = {}


def fetch(model, key):
    program = f"{PROGRAMS}/fetch.mjs"
    done = subprocess.run([node, program, GATEWAY, model, key], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


@client.check("list")
def _():
    seen.update(fetch(MODEL, KEY))
    expect(seen["unchanged"] == 304, seen["unchanged"])
    return client.listed(seen["listed"])


@client.check("chat")
def _():
    return client.whole(seen["chat"])


@client.check("stream")
def _():
    expect(seen["events"] > 3 and seen["last"] == "data: [DONE]", seen)
    return f"{seen['events']} events"


@client.check("unknown model")
def _():
    expect(seen["refused"] == "model_not_found", seen["refused"])
    return seen["refused"]


client.finish()
