"""What Ollama's own client for Python makes of a server.

    ollama_client.py all URL MODEL OTHER_MODEL
    ollama_client.py broken URL MODEL

MODEL is given without its tag, which is `latest`. OTHER_MODEL is one that no Ollama server has. The key, if the server wants
one, is that of OLLAMA_API_KEY. Prints a JSON object.
"""
import json
import sys

import ollama

QUESTION = [{"role": "user", "content": "Hello?"}]


def refusal(ask):
    """The text that the client shows, and the status."""
    try:
        answer = ask()
        return ["answered", str(answer)]
    except ollama.ResponseError as error:
        return [error.error, error.status_code]


def described(model):
    details = model.details
    return {
        "model": model.model,
        "digest": model.digest,
        "size": model.size,
        "family": details.family,
        "parameter_size": details.parameter_size,
        "quantization_level": details.quantization_level,
    }


def everything(client, model, other):
    chat = client.chat(model=model, messages=QUESTION)
    chunks = list(client.chat(model=model, messages=QUESTION, stream=True))
    generated = list(client.generate(model=model, prompt="Hello?", stream=True))
    shown = client.show(model)
    return {
        "list": [described(entry) for entry in client.list().models],
        "ps": [described(entry) for entry in client.ps().models],
        "show": {
            "family": shown.details.family,
            "architecture": shown.modelinfo.get("general.architecture"),
            "parameter_count": shown.modelinfo.get("general.parameter_count"),
            "capabilities": shown.capabilities,
        },
        "chat": [chat.message.content, chat.done, chat.done_reason],
        "chat_streamed": [chunk.message.content for chunk in chunks],
        "chat_ended": chunks[-1].done,
        "generate": client.generate(model=model, prompt="Hello?").response,
        "generate_streamed": [chunk.response for chunk in generated],
        "embed": [len(vector) for vector in client.embed(model=model, input=["a", "b"]).embeddings],
        "embeddings": len(client.embeddings(model=model, prompt="a").embedding),
        "unknown": refusal(lambda: client.chat(model="none", messages=QUESTION)),
        "unknown_streamed": refusal(lambda: list(client.chat(model="none", messages=QUESTION, stream=True))),
        "unknown_shown": refusal(lambda: client.show("none")),
        "other": refusal(lambda: client.chat(model=other, messages=QUESTION)),
        "pull": refusal(lambda: client.pull(model)),
        "delete": refusal(lambda: client.delete(model)),
    }


def broken(client, model):
    """A stream that ends in its middle: what came, and how the client says that it was not all."""
    seen = []
    try:
        for chunk in client.chat(model=model, messages=QUESTION, stream=True):
            seen.append(chunk.message.content)
        return {"seen": seen, "error": None}
    except ollama.ResponseError as error:
        return {"seen": seen, "error": error.error}


client = ollama.Client(host=sys.argv[2])
result = everything(client, *sys.argv[3:5]) if sys.argv[1] == "all" else broken(client, sys.argv[3])
json.dump(result, sys.stdout)
