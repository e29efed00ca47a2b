"""Instructor: structured output in its modes, on a simulated server."""
import instructor
import openai
import pydantic
from checks import *
from instructor.core import InstructorRetryException

client = Client(
    "instructor", "instructor", base="/v1", key=None, base_variable="OPENAI_BASE_URL", key_variable="OPENAI_API_KEY"
)


class Weather(pydantic.BaseModel):
    """The weather of a town."""

    town: str
    days: int


def ask(mode, model=SIMULATED, key=KEY, **more):
    patched = instructor.from_openai(openai.OpenAI(api_key=key, max_retries=0), mode=mode)
    create = patched.chat.completions.create_partial if more.pop("partial", False) else patched.chat.completions.create
    return create(
        model=model, response_model=Weather, max_retries=0, messages=[{"role": "user", "content": QUESTION}], **more
    )


def structured(mode):
    answer = ask(mode)
    expect(isinstance(answer, Weather), answer)
    return repr(answer)


@client.check("tools")
def _():
    return structured(instructor.Mode.TOOLS)


@client.check("structured")
def _():
    return structured(instructor.Mode.JSON_SCHEMA)


@client.check("stream")
def _():
    parts = list(ask(instructor.Mode.JSON_SCHEMA, partial=True))
    expect(len(parts) > 1 and isinstance(parts[-1].town, str), parts)
    return f"{len(parts)} parts"


@client.check("unknown model")
def _():
    return client.refused(
        InstructorRetryException, lambda: ask(instructor.Mode.TOOLS, MISSING), MISSING, "model_not_found"
    )


@client.check("wrong key")
def _():
    return client.refused(InstructorRetryException, lambda: ask(instructor.Mode.TOOLS, key=WRONG_KEY), "401")


client.finish()
