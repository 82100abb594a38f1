"""A disk goes bad: one bit in the middle of a file is another one.

python3 flip.py FILE
"""

import stat
import sys
from pathlib import Path

path = Path(sys.argv[1])
mode = path.stat().st_mode
path.chmod(mode | stat.S_IWUSR)  # what is stored is not to be written
with path.open("r+b") as file:
    file.seek(path.stat().st_size // 2)
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))
path.chmod(mode)
