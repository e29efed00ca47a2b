"""A page of another origin in Chromium, for which ROLLCALL_CORS_ORIGINS has the page's site."""
import json
import os
import shutil
import subprocess

from checks import *

chromium = shutil.which("chromium")
if not chromium:
    skip("chromium is not installed")
version = subprocess.run([chromium, "--version"], capture_output=True, text=True).stdout.split()[1]
client = Client(
    "Chromium, a page of another site", None, base="",
    key="header `Authorization: Bearer …`; `ROLLCALL_CORS_ORIGINS` must list the site", version=version,
)


def visit(key):
    port = os.environ["CLIENT_SITE"].rpartition(":")[2]
    done = subprocess.run(
        ["python3", f"{PROGRAMS}/other_site.py", chromium, port, GATEWAY, key, MODEL, f"{FOLDER}/browser"],
        capture_output=True, text=True, timeout=100,
    )
    expect(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


seen = {}


@client.check("list")
def _():
    seen.update(visit(KEY))
    expect(seen.get("list", "").startswith("200 "), seen)
    return client.listed(seen["list"].removeprefix("200 ").split(","))


@client.check("chat")
def _():
    expect(seen.get("chat") == "200 chat.completion", seen)


@client.check("stream")
def _():
    expect(seen.get("stream") == "200 data: [DONE]", seen)


@client.check("unknown model")
def _():
    expect(seen.get("missing") == "404 model_not_found", seen)
    return seen["missing"]


@client.check("wrong key")
def _():
    answers = visit(WRONG_KEY)
    expect(answers.get("missing") == "401 invalid_api_key", answers)
    return answers["missing"]


client.finish()
