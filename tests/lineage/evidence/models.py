"""Small real models: trained by torch for some steps, saved as safetensors."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import nn

if TYPE_CHECKING:
    from pathlib import Path

WORDS, WIDTH = 96, 48


class Net(nn.Module):
    """Guesses the next of some symbols; two layers, a norm, an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS, WIDTH)
        self.first = nn.Linear(WIDTH, 2 * WIDTH)
        self.second = nn.Linear(2 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, WORDS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.embed(x)
        hidden = hidden + self.second(torch.relu(self.first(hidden)))
        out: torch.Tensor = self.head(self.norm(hidden))
        return out


def fresh(seed: int) -> Net:
    torch.manual_seed(seed)
    return Net()


def trained(net: nn.Module, *, seed: int, steps: int = 60, rate: float = 3e-3) -> Any:
    """A copy, trained further on a language that the seed makes."""
    net = copy.deepcopy(net)
    chance = torch.Generator().manual_seed(seed)
    follows = torch.randint(WORDS, (WORDS,), generator=chance)
    learning = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=rate)
    for _ in range(steps):
        x = torch.randint(WORDS, (64,), generator=chance)
        loss = nn.functional.cross_entropy(net(x), follows[x])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net


def saved(state: dict[str, torch.Tensor], path: Path) -> Path:
    path.mkdir(parents=True)
    whole = {name: tensor.detach().contiguous() for name, tensor in state.items()}
    save_file(whole, path / "model.safetensors")
    return path
