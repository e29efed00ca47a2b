"""LangChain's chat model for Anthropic's API."""
import anthropic
from checks import *
from langchain_anthropic import ChatAnthropic

client = Client(
    "LangChain (langchain-anthropic)",
    "langchain-anthropic",
    base="",
    key=None,
    base_variable="ANTHROPIC_BASE_URL",
    key_variable="ANTHROPIC_API_KEY",
)


def chat(model=MODEL, **more):
    return ChatAnthropic(model=model, max_retries=0, **{"max_tokens": 12, "temperature": 0, **more})


@client.check("chat")
def _():
    return client.whole(chat().invoke(QUESTION).text)


@client.check("stream")
def _():
    return client.streamed(part.text for part in chat().stream(QUESTION))


@client.check("unknown model")
def _():
    return client.refused(anthropic.NotFoundError, lambda: chat(MISSING).invoke(QUESTION), MISSING)


@client.check("wrong key")
def _():
    return client.refused(anthropic.AuthenticationError, lambda: chat(api_key=WRONG_KEY).invoke(QUESTION))


@client.check("tools")
def _():
    tool = {"name": "weather", "description": "The weather of a town", "input_schema": WEATHER}
    call = chat(SIMULATED, max_tokens=100).bind_tools([tool], tool_choice="weather").invoke(QUESTION).tool_calls[0]
    expect(call["name"] == "weather" and isinstance(call["args"]["town"], str), call)
    return f"{call['name']} {call['args']}"


client.finish()
