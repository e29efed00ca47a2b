"""LangChain's chat model and embeddings for OpenAI's API."""
import openai
import pydantic
from checks import *
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

client = Client(
    "LangChain (langchain-openai)",
    "langchain-openai",
    base="/v1",
    key=None,
    base_variable="OPENAI_API_BASE",
    key_variable="OPENAI_API_KEY",
)


def chat(model=MODEL, **more):
    return ChatOpenAI(model=model, max_retries=0, **{**SEEDED, **more})


class Weather(pydantic.BaseModel):
    """The weather of a town."""

    town: str
    days: int


@client.check("chat")
def _():
    return client.whole(chat().invoke(QUESTION).content)


@client.check("stream")
def _():
    return client.streamed(part.content for part in chat().stream(QUESTION))


@client.check("unknown model")
def _():
    return client.refused(openai.NotFoundError, lambda: chat(MISSING).invoke(QUESTION), MISSING)


@client.check("wrong key")
def _():
    return client.refused(openai.AuthenticationError, lambda: chat(api_key=WRONG_KEY).invoke(QUESTION))


@client.check("tools")
def _():
    bound = chat(SIMULATED, max_tokens=None).bind_tools([Weather], tool_choice="Weather")
    call = bound.invoke(QUESTION).tool_calls[0]
    expect(call["name"] == "Weather" and isinstance(call["args"]["town"], str), call)
    return f"{call['name']} {call['args']}"


@client.check("structured")
def _():
    answer = chat(SIMULATED, max_tokens=None).with_structured_output(Weather).invoke(QUESTION)
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


@client.check("embeddings")
def _():
    # Otherwise texts are sent as numbers of OpenAI's tokens, which mean nothing to another model.
    embeddings = OpenAIEmbeddings(model=SIMULATED, check_embedding_ctx_length=False)
    vectors = embeddings.embed_documents(["one", "two"])
    expect(len(vectors) == 2 and len(vectors[0]) > 1, vectors)


client.finish()
