"""What a tensor is in a model, by its name: which layer, and what sort of module.

The names are those of Llama, Mistral, GPT-2, GPT-NeoX, BERT, DistilBERT, T5 and GGUF;
what none of them has falls under the last component of its own name.
"""

import re
from functools import cache
from typing import NamedTuple

_PARAMETERS = frozenset({
    "weight", "bias", "gamma", "beta", "g", "b", "lora_a", "lora_b", "default",
    "lora_embedding_a", "lora_embedding_b", "lora_magnitude_vector", "base_layer",
    "modules_to_save", "original_module", "scales", "qweight", "qzeros", "weight_scale",
    "running_mean", "running_var", "num_batches_tracked",
})  # fmt: skip
_PATTERNS = {  # the first that matches the components of a name, joined by dots
    "norm": r"(^|[._])(\w*norm\d?|bn\d*|ln_?\w{0,2}|layernorm|layer_norm)(?=[._]|$)",
    "attention qkv": r"(c_attn|query_key_value|qkv_proj|w?qkv|in_proj|attn_qkv)$",
    "attention q": r"(^|[._])(q_proj|query|q_lin|to_q|wq|q|q_[ab]_proj)$",
    "attention k": r"(^|[._])(k_proj|key|k_lin|to_k|wk|k)$",
    "attention v": r"(^|[._])(v_proj|value|v_lin|to_v|wv|v)$",
    "attention o": r"(o_proj|out_proj|out_lin|to_out|wo|attn_output|attn\.c_proj"
    r"|attention\.(output\.)?dense|attention\.o)$",
    "mlp": r"(^|[._])(mlp|ffn\w*|feed_forward|fc\d|c_fc|gate_proj|up_proj|down_proj"
    r"|w[123]|lin\d|wi(_\d)?|dense_h_to_4h|dense_4h_to_h|intermediate|experts|\w*moe"
    r"|densereludense|output\.dense)(?=[._]|$)",
    "head": r"(^|[._])(lm_head|embed_out|\w*head|classifier|score|cls|pooler"
    r"|qa_outputs|predictions)(?=[._]|$)|^(\w+\.)*output$",
    "embedding": r"(^|[._])(wte|wpe|\w*embed\w*|tok_embeddings|token_embd"
    r"|position_embd|shared)(?=[._]|$)",
}
KINDS = (
    "embedding", "attention q", "attention k", "attention v", "attention qkv",
    "attention o", "mlp", "norm", "head",
)  # fmt: skip


class Place(NamedTuple):
    """Where a tensor belongs.

    `stack` is what comes before the number of its `layer` (None: in no layer).
    `module` is the name of its own module, `kind` what sort of module that is.
    """

    stack: str
    layer: int | None
    kind: str
    module: str


@cache
def place(name: str) -> Place:
    """Where the tensor called `name` belongs."""
    parts = name.split(".")
    number = next((i for i, part in enumerate(parts) if _is_number(part)), None)
    stack = ".".join(parts[:number]) if number is not None else ""
    layer = None if number is None else int(parts[number])
    while len(parts) > 1 and parts[-1].lower() in _PARAMETERS:
        parts.pop()
    return Place(stack, layer, _kind(".".join(parts).lower()), parts[-1])


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) < 6


def _kind(name: str) -> str:
    for kind, pattern in _PATTERNS.items():
        if re.search(pattern, name):
            return kind
    return name.rpartition(".")[2]
