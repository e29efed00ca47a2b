"""LiteLLM's proxy in front of the gateway, with every model passed on; asked with OpenAI's client."""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import openai
from checks import *

client = Client("LiteLLM proxy in front", "litellm", base="/v1", key="`api_key:` of the model in its configuration")
PROXY_KEY = "sk-of-the-proxy"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


port = free_port()
everything = {"model": "openai/*", "api_base": client.base, "api_key": "os.environ/ROLLCALL_API_KEY"}
configuration = {
    "model_list": [{"model_name": "openai/*", "litellm_params": everything}],
    "litellm_settings": {"check_provider_endpoint": True},
    "general_settings": {"master_key": PROXY_KEY},
}
with open(f"{FOLDER}/config.yaml", "w") as file:
    json.dump(configuration, file)
proxy = subprocess.Popen(
    [sys.executable, "-m", "litellm.proxy.proxy_cli", "--config", f"{FOLDER}/config.yaml",
     "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"],
    env={**os.environ, "ROLLCALL_API_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    cwd=FOLDER, stdout=sys.stderr, stderr=sys.stderr,
)


def is_ready():
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2).status == 200
    except OSError:
        return False


@client.check("start")
def _():
    deadline = time.monotonic() + 120
    while not is_ready():
        expect(proxy.poll() is None, f"exit code {proxy.returncode}")
        expect(time.monotonic() < deadline, "not ready after 120 s")
        time.sleep(0.5)


sdk = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=PROXY_KEY, max_retries=0)


def ask(model=MODEL, **more):
    return sdk.chat.completions.create(
        model=f"openai/{model}", messages=[{"role": "user", "content": QUESTION}], **{**SEEDED, **more}
    )


@client.check("list")
def _():
    # As ask() names them.
    return client.listed([model.id.removeprefix("openai/") for model in sdk.models.list()])


@client.check("each listed id")
def _():
    for model in MODELS:
        expect(ask(model).choices[0].message.content, model)


client.check_chat(ask)


@client.check("unknown model")
def _():
    return client.refused(openai.NotFoundError, lambda: ask(MISSING), MISSING)


@client.check("tools")
def _():
    tools = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
    choice = {"type": "function", "function": {"name": "weather"}}
    call = ask(SIMULATED, tools=tools, tool_choice=choice, max_tokens=100).choices[0].message.tool_calls[0]
    expect(call.function.name == "weather" and "town" in json.loads(call.function.arguments), call)
    return f"{call.function.name} {call.function.arguments}"


@client.check("embeddings")
def _():
    data = sdk.embeddings.create(model=f"openai/{SIMULATED}", input=["one", "two"]).data
    expect(len(data) == 2 and len(data[0].embedding) > 1, data)


proxy.terminate()
try:
    proxy.wait(20)
except subprocess.TimeoutExpired:
    proxy.kill()
client.finish()
