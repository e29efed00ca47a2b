// What Node's own fetch makes of a gateway:  node fetch.mjs GATEWAY_URL MODEL [KEY]
// Prints a JSON object: the list, a list that has not changed, a chat, a streamed chat, and a model that is not there.
const [gateway, model, key] = process.argv.slice(2);
const authorization = key ? { Authorization: `Bearer ${key}` } : {};

function chat(name, more) {
  return fetch(`${gateway}/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...authorization },
    body: JSON.stringify({ model: name, max_tokens: 5, messages: [{ role: "user", content: "x" }], ...more }),
    signal: AbortSignal.timeout(10000),
  });
}

const list = await fetch(`${gateway}/v1/models`, { headers: authorization });
const listed = (await list.json()).data.map((entry) => entry.id);
const unchanged = { "If-None-Match": list.headers.get("etag"), ...authorization };
const again = await fetch(`${gateway}/v1/models`, { headers: unchanged });
const answer = await (await chat(model, {})).json();

let text = "";
const decoder = new TextDecoder();
for await (const bytes of (await chat(model, { stream: true })).body) text += decoder.decode(bytes, { stream: true });
const events = text.split("\n\n").filter((event) => event.startsWith("data: "));

const refused = await (await chat("not/there", {})).json();
console.log(
  JSON.stringify({
    listed,
    unchanged: again.status,
    chat: answer.choices[0].message.content,
    events: events.length,
    last: events.at(-1),
    refused: refused.error.code,
  }),
);
