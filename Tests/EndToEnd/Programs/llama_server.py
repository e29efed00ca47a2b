"""A real llama.cpp server with a real model.

    llama_server.py MODEL.gguf PORT

The model file is made when it is not there yet, see model_file.py. Prints `listening` once requests are
answered; stops on SIGTERM.
"""
import os
import signal
import sys

import xllamacpp
from model_file import make

path, port = sys.argv[1], int(sys.argv[2])
make(path)

parameters = xllamacpp.CommonParams()
parameters.model.path = path
# The first one by the alphabet is the id, the others are its aliases.
parameters.model_alias = {"google/gemma-3-270m", "tiny"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = port
parameters.n_ctx = 2048
server = xllamacpp.Server(parameters)
# In one piece, behind whatever part of a line the server's own log has written by now.
os.write(sys.stdout.fileno(), f"\nlistening {server.listening_address}\n".encode())
signal.sigwait({signal.SIGTERM, signal.SIGINT})
os._exit(0)
