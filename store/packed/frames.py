"""zstd frames: what is written into a pack, and what is taken from one.

A frame states the size of its content, and nothing follows it.
"""

import threading

import zstandard

from lineage.errors import VerificationError

Data = bytes | bytearray | memoryview

_thread = threading.local()
_WIDEST = 8 << 20  # bytes that a reader has to look back, at most

# Weights hold no repetitions but runs, so next to nothing is spent on looking for
# others: what is left is Huffman's code. Measured in ADR 0038.
_COUNTING = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_FAST,
    window_log=17,
    hash_log=6,
    chain_log=6,
    search_log=1,
    min_match=7,
)

# A dictionary is a block, of up to 4 MiB. What lies far back in it is found with tables
# of more than the 2^17 places that level 3 has. Measured in ADR 0039.
_LOOKING_BACK = {"window_log": 23, "hash_log": 19, "chain_log": 19}


def counted(data: Data) -> bytes:
    """A frame that makes use of which bytes are frequent, and of runs."""
    if not hasattr(_thread, "counting"):  # to make one takes as long as 8 KiB do
        made = zstandard.ZstdCompressor(compression_params=_COUNTING)
        _thread.counting = made
    return bytes(_thread.counting.compress(data))


def deflated(data: Data, level: int, dictionary: bytes = b"") -> bytes:
    """A frame that makes use of what was there before, in it or in the dictionary."""
    if not dictionary:
        return zstandard.ZstdCompressor(level).compress(data)
    how = zstandard.ZstdCompressionParameters.from_level(level, **_LOOKING_BACK)
    held = _dictionary(dictionary)
    made = zstandard.ZstdCompressor(compression_params=how, dict_data=held)
    return made.compress(data)


def inflated(data: Data, size: int, dictionary: bytes = b"") -> bytes:
    """The content of a frame, which has to be `size` bytes long.

    Raises:
        VerificationError: when it is not, or `data` is not one frame.
    """
    try:
        if zstandard.frame_content_size(data) != size:
            raise VerificationError(
                "a frame in a pack does not have the size it should"
            )
        held = _dictionary(dictionary)
        reader = zstandard.ZstdDecompressor(dict_data=held, max_window_size=_WIDEST)
        content = reader.decompress(data, allow_extra_data=False)
    except (zstandard.ZstdError, ValueError) as error:
        raise VerificationError(f"a frame in a pack cannot be read: {error}") from None
    if len(content) != size:
        raise VerificationError("a frame in a pack does not have the size it should")
    return content


def _dictionary(data: bytes) -> zstandard.ZstdCompressionDict | None:
    """The bytes as what came before, whatever they begin with."""
    if not data:
        return None
    return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
