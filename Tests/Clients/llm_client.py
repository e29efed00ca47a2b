"""The command line tool `llm`, with the gateway's models added to extra-openai-models.yaml."""
import json
import os
import subprocess
import sys

from checks import *

client = Client("llm", "llm", base="/v1", key="`llm keys set rollcall`, `api_key_name: rollcall`")
os.environ["LLM_USER_PATH"] = FOLDER

# One entry for each model; JSON is YAML as well.
with open(f"{FOLDER}/extra-openai-models.yaml", "w") as file:
    json.dump(
        [{"model_id": f"rollcall/{model}", "model_name": model, "api_base": client.base, "api_key_name": "rollcall",
          "supports_schema": True, "supports_tools": True} for model in (MODEL, SIMULATED, MISSING)],
        file,
    )


def llm(*arguments, **more):
    done = subprocess.run(
        [sys.executable, "-m", "llm", *arguments], capture_output=True, text=True, timeout=60, **more
    )
    if done.returncode:
        raise Unexpected(f"exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def ask(model, *options):
    return llm("prompt", QUESTION, "-m", f"rollcall/{model}", "--no-log", *options)


SHORT = ["-o", "temperature", "0", "-o", "seed", "7", "-o", "max_tokens", "12"]


@client.check("key")
def _():
    llm("keys", "set", "rollcall", "--value", KEY)


@client.check("chat")
def _():
    return client.whole(ask(MODEL, "--no-stream", *SHORT))


@client.check("stream")
def _():
    expect(ask(MODEL, *SHORT) == client.answer, "another answer")


@client.check("unknown model")
def _():
    return client.refused(Unexpected, lambda: ask(MISSING), MISSING, "404")


@client.check("wrong key")
def _():
    return client.refused(Unexpected, lambda: ask(MODEL, "--key", WRONG_KEY), "401")


@client.check("structured")
def _():
    answer = json.loads(ask(SIMULATED, "--no-stream", "--schema", json.dumps(WEATHER)))
    expect(isinstance(answer["town"], str) and isinstance(answer["days"], int), answer)
    return answer


client.finish()
