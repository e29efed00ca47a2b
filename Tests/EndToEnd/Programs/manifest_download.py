"""Downloads a registered model by its manifest alone, and checks it: what a node does.

    manifest_download.py MANIFEST_URL FOLDER

Takes the files in the order of their priority, checks each size and SHA-256, and prints a JSON object with the paths.
"""
import hashlib
import json
import os
import sys
import urllib.request

url, folder = sys.argv[1], sys.argv[2]
manifest = json.load(urllib.request.urlopen(url))
unsigned = {key: value for key, value in manifest.items() if key != "digest"}
canonical = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
assert manifest["digest"] == "sha256:" + hashlib.sha256(canonical).hexdigest(), "digest"

downloaded = []
for file in sorted(manifest["files"], key=lambda file: -file["priority"]):
    assert manifest["commit"] in file["url"], file["url"]
    path = os.path.join(folder, file["path"])
    assert os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep), path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with urllib.request.urlopen(file["url"]) as answer, open(path, "wb") as target:
        while chunk := answer.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    if file.get("size_bytes") is not None:
        assert size == file["size_bytes"], (file["path"], size, file["size_bytes"])
    if file.get("sha256") is not None:
        assert digest.hexdigest() == file["sha256"], file["path"]
    elif file["role"] == "weights":
        raise SystemExit(f"{file['path']}: weights without a SHA-256")
    downloaded.append({"path": path, "role": file["role"], "size_bytes": size})
print(json.dumps({"files": downloaded, "size_bytes": manifest["size_bytes"]}))
