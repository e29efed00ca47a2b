"""What Anthropic's own client makes of the list of models: anthropic_models.py GATEWAY_URL, prints JSON."""
import json
import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none")
pages = list(client.models.list().iter_pages())
listed = list(client.models.list())
before = client.models.list(before_id=listed[30].id, limit=10)
slashed = next(model.id for model in listed if "/" in model.id)
retrieved = client.models.retrieve(slashed)
try:
    client.models.retrieve("no/such/model")
    missing = "found"
except anthropic.NotFoundError as error:
    missing = [error.body["type"], error.body["error"]["code"]]
json.dump(
    {
        "listed": [model.id for model in listed],
        "pages": [len(page.data) for page in pages],
        "before": [model.id for model in before.data],
        "retrieved": retrieved.id,
        "equal": retrieved.to_dict() == next(model for model in listed if model.id == slashed).to_dict(),
        "type": retrieved.type,
        "name": retrieved.display_name,
        "created": retrieved.created_at.timestamp(),
        "missing": missing,
    },
    sys.stdout,
)
