"""A program that calls at a steady pace, and tells of it, until its standard input is closed.

python -m tests.flow.steady_app HOME WAY PAUSE
"""

import sys
import threading
from pathlib import Path

from tests.flow.calling import WAYS, Caller

if __name__ == "__main__":
    caller = Caller(Path(sys.argv[1]), sys.stdout.fileno(), pause=float(sys.argv[3]))
    work = threading.Thread(target=WAYS[sys.argv[2]], args=(caller,))
    work.start()
    sys.stdin.read()
    caller.stopping.set()
    work.join()
