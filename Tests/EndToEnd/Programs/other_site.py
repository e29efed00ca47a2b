"""A page of another site in a real browser:  other_site.py CHROMIUM PORT GATEWAY_URL KEY MODEL FOLDER

Serves other_site.html at http://127.0.0.1:PORT, opens it in Chromium, and prints what the page's script could read, as JSON.
The page sends that to its own site: Chromium's --dump-dom does not wait for a stream. FOLDER: for the browser's files.
"""
import http.server
import os
import queue
import subprocess
import sys
import threading
import urllib.parse

chromium, port, gateway, key, model, folder = sys.argv[1:]
seen = queue.Queue()


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(os.path.join(os.path.dirname(__file__), "other_site.html"), "rb") as page:
            self.answer(page.read())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")
        seen.put(body.decode())

    def log_message(self, *arguments):
        pass  # Each request would be a line beside the JSON.

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


site = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Site)
threading.Thread(target=site.serve_forever, daemon=True).start()
given = urllib.parse.urlencode({"gateway": gateway, "key": key, "model": model})
browser = subprocess.Popen(
    [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
     f"--user-data-dir={folder}", f"http://127.0.0.1:{port}/#{given}"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
)
try:
    print(seen.get(timeout=60))
finally:
    browser.terminate()
    browser.wait()
