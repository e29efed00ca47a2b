"""LiteLLM's SDK."""
import os

# Otherwise it fetches a list of prices when it is loaded.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import json

import litellm
import pydantic
from checks import *

client = Client(
    "LiteLLM SDK",
    "litellm",
    base="/v1",
    key=None,
    base_variable="OPENAI_API_BASE",
    key_variable="OPENAI_API_KEY",
)
litellm.suppress_debug_info = True


def ask(model=MODEL, **more):
    return litellm.completion(
        f"openai/{model}", [{"role": "user", "content": QUESTION}], num_retries=0, **{**SEEDED, **more}
    )


class Weather(pydantic.BaseModel):
    town: str
    days: int


@client.check("list")
def _():
    # This function does not read OPENAI_API_BASE.
    ids = litellm.get_valid_models(True, "openai", api_key=KEY, api_base=client.base)
    return client.listed(ids)


client.check_chat(ask)


@client.check("unknown model")
def _():
    return client.refused(litellm.NotFoundError, lambda: ask(MISSING), MISSING)


@client.check("wrong key")
def _():
    return client.refused(litellm.AuthenticationError, lambda: ask(api_key=WRONG_KEY))


@client.check("tools")
def _():
    tools = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
    choice = {"type": "function", "function": {"name": "weather"}}
    call = ask(SIMULATED, tools=tools, tool_choice=choice, max_tokens=100).choices[0].message.tool_calls[0]
    arguments = json.loads(call.function.arguments)
    expect(call.function.name == "weather" and isinstance(arguments["town"], str), call)
    return f"{call.function.name} {arguments}"


@client.check("structured")
def _():
    answer = ask(SIMULATED, response_format=Weather, max_tokens=None).choices[0].message.content
    return repr(Weather.model_validate_json(answer))


@client.check("embeddings")
def _():
    data = litellm.embedding(f"openai/{SIMULATED}", ["one", "two"]).data
    expect(len(data) == 2 and len(data[0]["embedding"]) > 1, data)


@client.check("Anthropic's API")
def _():
    answer = litellm.completion(
        f"anthropic/{MODEL}", [{"role": "user", "content": QUESTION}], api_base=GATEWAY, api_key=KEY, max_tokens=12,
        temperature=0, num_retries=0,
    )
    expect(answer.choices[0].message.content, answer)
    return f"anthropic/…, api_base without /v1: {answer.choices[0].message.content!r}"


client.finish()
