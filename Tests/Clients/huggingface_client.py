"""The client of the Hugging Face Hub's library."""
from checks import *
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

client = Client("huggingface_hub", "huggingface_hub", base="/v1", key="`InferenceClient(base_url=…, api_key=…)`")
inference = InferenceClient(base_url=client.base, api_key=KEY)


def ask(model=MODEL, of=inference, **more):
    return of.chat_completion([{"role": "user", "content": QUESTION}], model=model, **{**SEEDED, **more})


client.check_chat(ask)


@client.check("unknown model")
def _():
    return client.refused(HfHubHTTPError, lambda: ask(MISSING), "404", MISSING)


@client.check("wrong key")
def _():
    return client.refused(
        HfHubHTTPError, lambda: ask(of=InferenceClient(base_url=client.base, api_key=WRONG_KEY)), "401"
    )


@client.check("tools")
def _():
    tools = [{"type": "function", "function": {"name": "weather", "description": "", "parameters": WEATHER}}]
    choice = {"function": {"name": "weather"}}
    call = ask(SIMULATED, tools=tools, tool_choice=choice, max_tokens=100).choices[0].message.tool_calls[0]
    expect(call.function.name == "weather" and "town" in str(call.function.arguments), call)
    return f"{call.function.name} {call.function.arguments}"


client.finish()
