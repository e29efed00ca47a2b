"""Pydantic AI, with its model for OpenAI's chat completions."""
import asyncio

import pydantic
from checks import *
from pydantic_ai import Agent, ModelHTTPError, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

client = Client(
    "Pydantic AI",
    "pydantic-ai-slim",
    base="/v1",
    key=None,
    base_variable="OPENAI_BASE_URL",
    key_variable="OPENAI_API_KEY",
)


def agent(model=MODEL, provider=None, **more):
    settings = {} if model == SIMULATED else dict(SEEDED)
    return Agent(OpenAIChatModel(model, provider=provider or OpenAIProvider()), model_settings=settings, **more)


class Weather(pydantic.BaseModel):
    """The weather of a town."""

    town: str
    days: int


@client.check("chat")
def _():
    return client.whole(agent().run_sync(QUESTION).output)


@client.check("stream")
def _():
    async def parts():
        async with agent().run_stream(QUESTION) as answer:
            return [part async for part in answer.stream_text(delta=True, debounce_by=None)]

    return client.streamed(asyncio.run(parts()))


@client.check("unknown model")
def _():
    return client.refused(ModelHTTPError, lambda: agent(MISSING).run_sync(QUESTION), MISSING, "404")


@client.check("wrong key")
def _():
    provider = OpenAIProvider(base_url=client.base, api_key=WRONG_KEY)
    return client.refused(ModelHTTPError, lambda: agent(provider=provider).run_sync(QUESTION), "401")


@client.check("tools")
def _():
    answer = agent(SIMULATED, output_type=Weather).run_sync(QUESTION).output
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


@client.check("structured")
def _():
    answer = agent(SIMULATED, output_type=NativeOutput(Weather)).run_sync(QUESTION).output
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


client.finish()
