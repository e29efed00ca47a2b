"""The JDK's HttpClient."""
import json
import os
import shutil
import subprocess

from checks import *

java = shutil.which("java")
if not java or not shutil.which("javac"):
    skip("no JDK is installed")
version = subprocess.run([java, "--version"], capture_output=True, text=True).stdout.split()[1]
client = Client("JDK HttpClient", None, base="", key="header `Authorization: Bearer …`", version=version)


def send(key, *requests):
    """The status and the lines of each answer."""
    arguments = [part for path, body in requests for part in (GATEWAY + path, json.dumps(body) if body else "")]
    program = os.path.join(os.path.dirname(__file__), "JDKRequests.java")
    done = subprocess.run(
        [java, "-Xmx64m", "-XX:TieredStopAtLevel=1", program, key, *arguments],
        capture_output=True, text=True, timeout=90,
    )
    expect(done.returncode == 0, done.stderr)
    answers = done.stdout.removeprefix("-- ").split("\n-- ")
    expect(len(answers) == len(requests), done.stdout)
    return [(answer.split("\n")[0], answer.split("\n")[1:]) for answer in answers]


def body(model=MODEL, **more):
    return {"model": model, "messages": [{"role": "user", "content": QUESTION}], **SEEDED, **more}


CHAT = "/v1/chat/completions"
answers = []


@client.check("list")
def _():
    answers.extend(
        send(KEY, ("/v1/models", None), (CHAT, body()), (CHAT, body(stream=True)), (CHAT, body(model=MISSING)))
    )
    status, lines = answers[0]
    expect(status == "200 HTTP_1_1", status)
    return client.listed([model["id"] for model in json.loads(lines[0])["data"]])


@client.check("chat")
def _():
    return client.whole(json.loads("".join(answers[1][1]))["choices"][0]["message"]["content"])


@client.check("stream")
def _():
    events = [line.removeprefix("data: ") for line in answers[2][1] if line.startswith("data: ")]
    expect(events[-1] == "[DONE]", events[-1])
    chunks = [json.loads(event) for event in events[:-1]]
    return client.streamed(chunk["choices"][0]["delta"].get("content") for chunk in chunks if chunk["choices"])


@client.check("unknown model")
def _():
    status, lines = answers[3]
    expect(status == "404 HTTP_1_1" and json.loads("".join(lines))["error"]["code"] == "model_not_found", answers[3])
    return status


@client.check("wrong key")
def _():
    [(status, _)] = send(WRONG_KEY, (CHAT, body()))
    expect(status == "401 HTTP_1_1", status)
    return status


client.finish()
