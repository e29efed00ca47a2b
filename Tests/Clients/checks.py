"""What the programs of this folder share: where the gateway is, and one printed line for each check.

scripts/test-clients sets the environment: CLIENT_GATEWAY (the gateway's root), CLIENT_KEY (an API key with the scopes
models and inference), CLIENT_MODEL (a real model on a llama.cpp server), CLIENT_SIMULATED and CLIENT_OLLAMA (models of
simulated servers, the second of the kind Ollama), CLIENT_MODELS (all ids, as JSON), and CLIENT_FOLDER (an empty folder).

Each program prints a line `about {…}`, and for each check `ok WHAT<tab>DETAIL` or `FAIL WHAT<tab>DETAIL`; or, if its
client is not on this machine, `skipped REASON`. The exit code is 1 if a check failed. scripts/test-clients makes the table
of docs/clients.md from these lines.
"""
import importlib.metadata
import json
import os
import sys
import traceback

GATEWAY = os.environ["CLIENT_GATEWAY"]
KEY = os.environ["CLIENT_KEY"]
WRONG_KEY = "rc_not_a_key_of_this_gateway"
MODEL = os.environ["CLIENT_MODEL"]
SIMULATED = os.environ["CLIENT_SIMULATED"]
OLLAMA = os.environ["CLIENT_OLLAMA"]
MODELS = json.loads(os.environ["CLIENT_MODELS"])
FOLDER = os.environ["CLIENT_FOLDER"]
MISSING = "no/such-model"
PROGRAMS = os.path.join(os.path.dirname(__file__), "../EndToEnd/Programs")

QUESTION = "Count from one to five."
# The same answer each time, and a short one.
SEEDED = {"temperature": 0, "seed": 7, "max_tokens": 12}
WEATHER = {
    "type": "object",
    "properties": {"town": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["town", "days"],
}


class Client:
    """One client, and what its checks came to."""

    def __init__(self, name, package, base, key, base_variable=None, key_variable=None, version=None):
        """Says how the client is set up, and sets its environment variables if it reads the settings from there.

        - base: the base URL without the gateway's root, such as "/v1"
        - key: how the client takes its key
        """
        self.base = GATEWAY + base
        self.failures = 0
        self.answer = None
        if base_variable:
            os.environ[base_variable] = self.base
        if key_variable:
            os.environ[key_variable] = KEY
        about = {
            "name": name,
            "version": version or importlib.metadata.version(package),
            "base": f"`{base_variable}`: " if base_variable else "",
            "key": f"`{key_variable}`" if key_variable else key,
        }
        about["base"] += "`http://HOST:8400" + base + "`"
        print("about", json.dumps(about), flush=True)

    def check(self, what):
        """Runs a function as a check, at once. What it returns is the detail of the line."""

        def run(function):
            try:
                outcome, detail = "ok", function()
            except Exception as error:
                traceback.print_exc()
                self.failures += 1
                outcome, detail = "FAIL", f"{type(error).__name__}: {error}"
            print(outcome, f"{what}\t{' '.join(str(detail or '').split())}".strip(), flush=True)

        return run

    def whole(self, text):
        """The answer to QUESTION in one piece."""
        expect(text and text.strip(), "an empty answer")
        self.answer = text
        return repr(text)

    def streamed(self, parts):
        """The same answer in parts: more than one, and together the same text."""
        parts = [part for part in parts if part]
        expect(len(parts) > 1, f"{len(parts)} parts: {parts}")
        expect("".join(parts) == self.answer, f"{''.join(parts)!r} is not {self.answer!r}")
        return f"{len(parts)} parts"

    def check_chat(self, ask):
        """The checks `chat` and `stream` of a client whose answers have the shape of OpenAI's chat completions.

        - ask: puts QUESTION to MODEL; with stream=True it gives the chunks
        """
        self.check("chat")(lambda: self.whole(ask().choices[0].message.content))
        self.check("stream")(
            lambda: self.streamed(chunk.choices[0].delta.content for chunk in ask(stream=True) if chunk.choices)
        )

    def listed(self, ids):
        expect(sorted(ids) == sorted(MODELS), f"{sorted(ids)} are not {sorted(MODELS)}")
        return f"{len(MODELS)} models"

    def refused(self, kind, function, *words, **attributes):
        """The function must raise this kind of error, whose text has these words, and which has these attributes."""
        try:
            answer = function()
        except kind as error:
            for word in words:
                expect(word in str(error), f"{word!r} is not in {type(error).__name__}: {error}")
            for name, value in attributes.items():
                expect(getattr(error, name) == value, f"{name} is {getattr(error, name)!r}, not {value!r}: {error}")
            return f"{type(error).__name__}: {error}"
        raise Unexpected(f"no error, but {answer!r}")

    def finish(self):
        sys.exit(1 if self.failures else 0)


def skip(reason):
    """Ends the program of a client that is not here."""
    print("skipped", reason, flush=True)
    sys.exit(0)


class Unexpected(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Unexpected(message)
