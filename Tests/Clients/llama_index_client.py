"""LlamaIndex's client for servers that speak OpenAI's API."""
import openai
import pydantic
from checks import *
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

client = Client(
    "LlamaIndex (OpenAILike)",
    "llama-index-llms-openai-like",
    base="/v1",
    key="`OpenAILike(api_base=…, api_key=…, is_chat_model=True)`",
)


def llm(model=MODEL, key=KEY, **more):
    return OpenAILike(
        model=model, api_base=client.base, api_key=key, is_chat_model=True, max_retries=0,
        **{"temperature": 0, "max_tokens": 12, "additional_kwargs": {"seed": 7}, **more},
    )


class Weather(pydantic.BaseModel):
    """The weather of a town."""

    town: str
    days: int


MESSAGES = [ChatMessage(role="user", content=QUESTION)]


@client.check("chat")
def _():
    return client.whole(llm().chat(MESSAGES).message.content)


@client.check("stream")
def _():
    return client.streamed(part.delta for part in llm().stream_chat(MESSAGES))


@client.check("unknown model")
def _():
    return client.refused(openai.NotFoundError, lambda: llm(MISSING).chat(MESSAGES), MISSING)


@client.check("wrong key")
def _():
    return client.refused(openai.AuthenticationError, lambda: llm(key=WRONG_KEY).chat(MESSAGES))


@client.check("structured")
def _():
    asked = llm(SIMULATED, max_tokens=None, should_use_structured_outputs=True)
    answer = asked.as_structured_llm(Weather).chat(MESSAGES).raw
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


@client.check("tools")
def _():
    asked = llm(SIMULATED, max_tokens=None, is_function_calling_model=True)
    answer = asked.as_structured_llm(Weather).chat(MESSAGES).raw
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


client.finish()
