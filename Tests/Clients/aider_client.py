"""The coding assistant aider: one message each, without a dialogue."""
import json
import os
import re
import subprocess
import sys

from checks import *

client = Client(
    "aider",
    "aider-chat",
    base="/v1",
    key=None,
    base_variable="OPENAI_API_BASE",
    key_variable="OPENAI_API_KEY",
)
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
# aider keeps its history in the root of the repository that it is started in.
subprocess.run(["git", "init", "--quiet", FOLDER], check=True)
# A small model may not find an end.
with open(f"{FOLDER}/.aider.model.settings.yml", "w") as file:
    json.dump([{"name": f"openai/{MODEL}", "edit_format": "ask", "extra_params": {"max_tokens": 12}}], file)


def aider(*arguments, key=KEY):
    done = subprocess.run(
        [sys.executable, "-m", "aider", "--no-git", "--yes-always", "--no-check-update",
         "--no-show-model-warnings", "--no-show-release-notes", "--analytics-disable", "--no-pretty", "--no-gitignore",
         "--no-detect-urls", "--no-suggest-shell-commands", "--map-tokens", "0", "--timeout", "20", *arguments],
        cwd=FOLDER, env={**os.environ, "OPENAI_API_KEY": key}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=150,
    )
    print(done.stdout, done.stderr, file=sys.stderr)
    return done.stdout + done.stderr


def ask(model, *options, **more):
    return aider("--model", f"openai/{model}", "--chat-mode", "ask", "--message", QUESTION, *options, **more)


@client.check("chat")
def _():
    text = ask(SIMULATED, "--no-stream")
    expect("Hello from simulated" in text, text)
    return "Hello from simulated"


@client.check("stream")
def _():
    text = ask(SIMULATED)
    expect("Hello from simulated" in text, text)


@client.check("a real model")
def _():
    text = ask(MODEL, "--no-stream")
    # It says the one of an answer that the limit has cut off, and the other of a whole one.
    received = re.search(r"Output tokens: ~([1-9]\d*)|, ([1-9]\d*) received", text)
    expect(received, text)
    return received[0].removeprefix(", ")


@client.check("unknown model")
def _():
    text = ask(MISSING)
    expect("NotFoundError" in text and MISSING in text, text)
    return "litellm.NotFoundError"


@client.check("wrong key")
def _():
    text = ask(SIMULATED, key=WRONG_KEY)
    expect("AuthenticationError" in text, text)
    return "litellm.AuthenticationError"


client.finish()
