"""Ollama's own client, with the models of an endpoint of the kind Ollama."""
import ollama
from checks import *

client = Client(
    "ollama", "ollama", base="", key=None, base_variable="OLLAMA_HOST", key_variable="OLLAMA_API_KEY"
)
api = ollama.Client()
MESSAGES = [{"role": "user", "content": QUESTION}]


def refused(status, function, *words):
    answer = client.refused(ollama.ResponseError, function, *words, status_code=status)
    # The client expects a text below "error", and shows an object as Python would.
    expect("{" not in answer, answer)
    return answer


@client.check("list")
def _():
    # Only what it can use.
    listed = [model.model for model in api.list().models]
    expect(listed == [OLLAMA], listed)
    return f"{len(listed)} model"


@client.check("loaded models")
def _():
    return f"{len(api.ps().models)} models"


@client.check("show")
def _():
    shown = api.show(OLLAMA)
    expect(shown.details, shown)


@client.check("chat")
def _():
    return client.whole(api.chat(OLLAMA, MESSAGES).message.content)


@client.check("stream")
def _():
    return client.streamed(part.message.content for part in api.chat(OLLAMA, MESSAGES, stream=True))


@client.check("generate")
def _():
    text = api.generate(OLLAMA, QUESTION).response
    expect(text, "an empty answer")
    parts = [part.response for part in api.generate(OLLAMA, QUESTION, stream=True) if part.response]
    expect("".join(parts) == text, parts)


@client.check("embeddings")
def _():
    embeddings = api.embed(OLLAMA, ["one", "two"]).embeddings
    expect(len(embeddings) == 2 and len(embeddings[0]) > 1, embeddings)


@client.check("unknown model")
def _():
    return refused(404, lambda: api.chat(MISSING, MESSAGES), MISSING)


@client.check("model of another kind of endpoint")
def _():
    return refused(501, lambda: api.chat(SIMULATED, MESSAGES), "/v1/chat/completions")


@client.check("wrong key")
def _():
    other = ollama.Client(headers={"Authorization": f"Bearer {WRONG_KEY}"})
    return refused(401, lambda: other.chat(OLLAMA, MESSAGES))


client.finish()
