"""What the makers' own clients make of tools and schemas: agent_clients.py GATEWAY_URL MODEL, prints JSON."""
import enum
import json
import sys
from typing import Optional

import anthropic
import openai
import pydantic

GATEWAY, MODEL = sys.argv[1:]
TURNS = 4
TOWN = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
QUESTION = {"role": "user", "content": "The weather?"}


class Kind(enum.Enum):
    CAT = "cat"
    DOG = "dog"


class Owner(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=3)
    age: int = pydantic.Field(ge=18)


class Pet(pydantic.BaseModel):
    kind: Kind
    tag: str = pydantic.Field(pattern=r"^[A-Z]{2}-\d{4}$")
    owners: list[Owner] = pydantic.Field(min_length=2)
    weight: Optional[float] = None
    parent: Optional["Pet"] = None


def chat_agent(client):
    """Its turns, streamed: a call, and then an answer."""
    tools = [{"type": "function", "function": {"name": "weather", "parameters": TOWN}}]
    messages, said = [QUESTION], []
    for _ in range(TURNS):
        with client.chat.completions.stream(model=MODEL, messages=messages, tools=tools) as stream:
            message = stream.get_final_completion().choices[0].message
        if not message.tool_calls:
            return said + [message.content]
        messages.append({"role": "assistant", "tool_calls": [call.to_dict() for call in message.tool_calls]})
        for call in message.tool_calls:
            said.append([call.function.name, json.loads(call.function.arguments)])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "Rain."})
    return said


def responses_agent(client):
    tools = [{"type": "function", "name": "weather", "parameters": TOWN}]
    items, said = [QUESTION], []
    for _ in range(TURNS):
        with client.responses.stream(model=MODEL, input=items, tools=tools) as stream:
            response = stream.get_final_response()
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return said + [response.output_text]
        for call in calls:
            said.append([call.name, json.loads(call.arguments)])
            items.append({"type": "function_call", **{key: getattr(call, key) for key in ("call_id", "name", "arguments")}})
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": "Rain."})
    return said


def messages_agent(client):
    tools = [{"name": "weather", "input_schema": TOWN}]
    messages, said = [QUESTION], []
    for _ in range(TURNS):
        with client.messages.stream(model=MODEL, max_tokens=1000, messages=messages, tools=tools) as stream:
            message = stream.get_final_message()
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            return said + [message.content[0].text]
        said += [[call.name, call.input] for call in calls]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "Rain."} for call in calls]
        messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    return said


def structured(client):
    """Parsed by the client, which checks it."""
    pet = client.chat.completions.parse(model=MODEL, messages=[QUESTION], response_format=Pet).choices[0].message.parsed
    return pet.model_dump(mode="json")


openai_client = openai.OpenAI(base_url=GATEWAY + "/v1", api_key="none", max_retries=0)
anthropic_client = anthropic.Anthropic(base_url=GATEWAY, api_key="none", max_retries=0)
json.dump(
    {
        "chat": chat_agent(openai_client),
        "responses": responses_agent(openai_client),
        "messages": messages_agent(anthropic_client),
        "pet": structured(openai_client),
    },
    sys.stdout,
)
