"""What OpenAI's own client makes of the gateway: openai_client.py BASE_URL, prints JSON."""
import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="none")
listed = list(client.models.list())
retrieved = [client.models.retrieve(model.id) for model in listed]
try:
    client.models.retrieve("no/such/model")
    missing = "found"
except openai.NotFoundError as error:
    missing = error.code
json.dump(
    {
        "listed": [model.id for model in listed],
        "retrieved": [model.id for model in retrieved],
        "equal": all(a.to_dict() == b.to_dict() for a, b in zip(listed, retrieved)),
        "missing": missing,
    },
    sys.stdout,
)
