"""OpenAI's Agents SDK: with chat completions, and with responses, which it uses by default."""
import asyncio

import agents
import openai
import pydantic
from checks import *

client = Client(
    "OpenAI Agents SDK",
    "openai-agents",
    base="/v1",
    key=None,
    base_variable="OPENAI_BASE_URL",
    key_variable="OPENAI_API_KEY",
)
# Traces would be sent to OpenAI.
agents.set_tracing_disabled(True)
agents.set_default_openai_api("chat_completions")


def agent(model=MODEL, of=None, **more):
    if model in (MODEL, MISSING):
        more["model_settings"] = agents.ModelSettings(temperature=0, max_tokens=12, extra_args={"seed": 7})
    chosen = agents.OpenAIChatCompletionsModel(model, of or openai.AsyncOpenAI(max_retries=0))
    return agents.Agent(name="counter", model=chosen, **more)


class Weather(pydantic.BaseModel):
    """The weather of a town."""

    town: str
    days: int


@client.check("chat")
def _():
    return client.whole(agents.Runner.run_sync(agent(), QUESTION).final_output)


@client.check("stream")
def _():
    async def parts():
        events = agents.Runner.run_streamed(agent(), QUESTION).stream_events()
        return [event.data.delta async for event in events
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"]

    return client.streamed(asyncio.run(parts()))


@client.check("unknown model")
def _():
    return client.refused(
        openai.NotFoundError, lambda: agents.Runner.run_sync(agent(MISSING), QUESTION), MISSING
    )


@client.check("wrong key")
def _():
    other = openai.AsyncOpenAI(api_key=WRONG_KEY, max_retries=0)
    return client.refused(openai.AuthenticationError, lambda: agents.Runner.run_sync(agent(of=other), QUESTION))


@client.check("tools")
def _():
    called = []

    @agents.function_tool
    def weather(town: str, days: int) -> str:
        """The weather of a town."""
        called.append((town, days))
        return "rain"

    settings = agents.ModelSettings(tool_choice="weather")
    agents.Runner.run_sync(agent(SIMULATED, tools=[weather], model_settings=settings), QUESTION)
    expect(len(called) == 1, f"called {len(called)} times")
    return called[0]


@client.check("structured")
def _():
    answer = agents.Runner.run_sync(agent(SIMULATED, output_type=Weather), QUESTION).final_output
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


@client.check("responses")
def _():
    model = agents.OpenAIResponsesModel(SIMULATED, openai.AsyncOpenAI(max_retries=0))
    text = agents.Runner.run_sync(agents.Agent(name="counter", model=model), QUESTION).final_output
    expect(text, "an empty answer")
    return repr(text)


client.finish()
