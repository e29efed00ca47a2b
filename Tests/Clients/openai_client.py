"""OpenAI's own client."""
import json

import openai
import pydantic
from checks import *

client = Client(
    "OpenAI SDK", "openai", base="/v1", key=None, base_variable="OPENAI_BASE_URL", key_variable="OPENAI_API_KEY"
)
sdk = openai.OpenAI(max_retries=0)


def ask(model=MODEL, of=sdk, **more):
    return of.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], **{**SEEDED, **more}
    )


@client.check("list")
def _():
    return client.listed([model.id for model in sdk.models.list()])


@client.check("retrieve")
def _():
    expect(sdk.models.retrieve(MODEL).id == MODEL, "another model")


client.check_chat(ask)


@client.check("unknown model")
def _():
    return client.refused(openai.NotFoundError, lambda: ask(model=MISSING), MISSING, code="model_not_found")


@client.check("wrong key")
def _():
    return client.refused(openai.AuthenticationError, lambda: ask(of=sdk.with_options(api_key=WRONG_KEY)))


@client.check("tools")
def _():
    tools = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
    choice = {"type": "function", "function": {"name": "weather"}}
    call = ask(SIMULATED, tools=tools, tool_choice=choice, max_tokens=None).choices[0].message.tool_calls[0]
    arguments = json.loads(call.function.arguments)
    expect(call.function.name == "weather" and isinstance(arguments["town"], str), call)
    return f"{call.function.name} {arguments}"


class Weather(pydantic.BaseModel):
    town: str
    days: int


@client.check("structured")
def _():
    answer = sdk.chat.completions.parse(
        model=SIMULATED, messages=[{"role": "user", "content": QUESTION}], response_format=Weather
    )
    expect(isinstance(answer.choices[0].message.parsed, Weather), answer)
    return repr(answer.choices[0].message.parsed)


@client.check("embeddings")
def _():
    data = sdk.embeddings.create(model=SIMULATED, input=["one", "two"]).data
    expect(len(data) == 2 and len(data[0].embedding) > 1, data)


@client.check("responses")
def _():
    text = sdk.responses.create(model=SIMULATED, input=QUESTION).output_text
    expect(text, "an empty answer")
    events = list(sdk.responses.create(model=SIMULATED, input=QUESTION, stream=True))
    expect(events[-1].type == "response.completed", events[-1])
    expect(events[-1].response.output_text == text, events[-1])
    return repr(text)


client.finish()
