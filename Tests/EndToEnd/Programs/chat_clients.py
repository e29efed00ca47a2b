"""What the makers' own clients make of inference through the gateway, next to the same asked of a server directly.

    chat_clients.py openai GATEWAY_URL DIRECT_URL MODEL
    chat_clients.py anthropic GATEWAY_URL MODEL

Prints a JSON object: for each kind of request, what came through the gateway and whether the direct answer is the same.
"""
import json
import sys

SEEDED = {"temperature": 0, "seed": 7, "max_tokens": 12}
MESSAGES = [{"role": "user", "content": "Count from one to five."}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a town",
            "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
        },
    }
]


def chat(client, model):
    choice = client.chat.completions.create(model=model, messages=MESSAGES, **SEEDED).choices[0]
    return choice.message.content


def streamed(client, model):
    chunks = client.chat.completions.create(model=model, messages=MESSAGES, stream=True, **SEEDED)
    parts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    return [part for part in parts if part]


def completion(client, model):
    return client.completions.create(model=model, prompt="One, two,", **SEEDED).choices[0].text


def embedding(client, model):
    import openai

    try:
        data = client.embeddings.create(model=model, input="hello").data
        return [round(value, 4) for value in data[0].embedding[:8]]
    except openai.APIStatusError as error:
        return [error.status_code, error.body]


def tools(client, model):
    import openai

    try:
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Weather in Oslo?"}], tools=TOOLS, **SEEDED
        )
        message = answer.choices[0].message
        return [message.content, [call.function.name for call in message.tool_calls or []]]
    except openai.APIStatusError as error:
        return [error.status_code, error.body]


def openai_clients(gateway, direct, model):
    import openai

    through, beside = (openai.OpenAI(base_url=url + "/v1", api_key="none") for url in (gateway, direct))
    result = {}
    for ask in (chat, streamed, completion, embedding, tools):
        answer = ask(through, model)
        result[ask.__name__] = {"answer": answer, "equal": answer == ask(beside, model)}
    return result


def anthropic_client(gateway, model):
    import anthropic

    client = anthropic.Anthropic(base_url=gateway, api_key="none")
    question = {"model": model, "max_tokens": 5, "messages": MESSAGES}
    message = client.messages.create(**question)
    with client.messages.stream(**question) as stream:
        text = "".join(stream.text_stream)
    return {"model": message.model, "text": message.content[0].text, "streamed": text}


result = openai_clients(*sys.argv[2:5]) if sys.argv[1] == "openai" else anthropic_client(*sys.argv[2:4])
json.dump(result, sys.stdout)
