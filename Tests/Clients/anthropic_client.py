"""Anthropic's own client."""
import anthropic
from checks import *

client = Client(
    "Anthropic SDK",
    "anthropic",
    base="",
    key=None,
    base_variable="ANTHROPIC_BASE_URL",
    key_variable="ANTHROPIC_API_KEY",
)
sdk = anthropic.Anthropic(max_retries=0)
# The method has no argument for the temperature any more; a server of today still reads it.
SEEDED = {"max_tokens": 12, "extra_body": {"temperature": 0}}
MESSAGES = [{"role": "user", "content": QUESTION}]


def ask(model=MODEL, of=sdk, **more):
    return of.messages.create(model=model, messages=MESSAGES, **{**SEEDED, **more})


@client.check("list")
def _():
    listed = list(sdk.models.list(limit=2))
    for model in listed:
        expect(model.type == "model" and model.display_name and model.created_at.year > 2000, model)
    return client.listed([model.id for model in listed])


@client.check("chat")
def _():
    return client.whole(ask().content[0].text)


@client.check("stream")
def _():
    with sdk.messages.stream(model=MODEL, messages=MESSAGES, **SEEDED) as stream:
        return client.streamed(stream.text_stream)


@client.check("unknown model")
def _():
    return client.refused(anthropic.NotFoundError, lambda: ask(MISSING), MISSING)


@client.check("wrong key")
def _():
    return client.refused(anthropic.AuthenticationError, lambda: ask(of=sdk.with_options(api_key=WRONG_KEY)))


@client.check("bearer token")
def _():
    bearer = anthropic.Anthropic(api_key=None, auth_token=KEY)
    expect(ask(of=bearer).content[0].text == client.answer, "another answer")
    return "ANTHROPIC_AUTH_TOKEN"


@client.check("count tokens")
def _():
    return sdk.messages.count_tokens(model=MODEL, messages=MESSAGES).input_tokens


@client.check("tools")
def _():
    tools = [{"name": "weather", "input_schema": WEATHER}]
    answer = ask(SIMULATED, tools=tools, tool_choice={"type": "tool", "name": "weather"}, max_tokens=100)
    call = answer.content[0]
    expect(call.type == "tool_use" and call.name == "weather" and isinstance(call.input["town"], str), answer)
    return f"{call.name} {call.input}"


client.finish()
