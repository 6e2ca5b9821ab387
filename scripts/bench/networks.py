"""The two score networks in PyTorch, as one writes them there, with the weights of lib/network's.

Used by the benchmark and by the script that makes the numbers of tests/parity.test.ts. Options have the names of
FilmNetworkOptions and TokenNetworkOptions, inputs and outputs the layout [batch, cells, fields].
"""

import math
import re

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {"swish": F.silu, "relu": F.relu, "gelu": F.gelu, "tanh": torch.tanh}


def modulate(h, film):
    """h (1 + gamma) + beta: h [batch, channels, cells], film [batch, 2 channels] (gamma, then beta)."""
    gamma, beta = film.unsqueeze(-1).chunk(2, dim=1)
    return h * (1 + gamma) + beta


class FilmBlock(nn.Module):
    """h + act(film(conv(act(film(conv(h)))))), both films with one (gamma, beta) of the block's own network."""

    def __init__(self, inputs, o):
        super().__init__()
        self.activation = ACTIVATIONS[o["activation"]]
        self.film1 = nn.Linear(inputs, o["filmWidth"])
        self.film2 = nn.Linear(o["filmWidth"], o["filmWidth"])
        self.film3 = nn.Linear(o["filmWidth"], o["filmWidth"])
        self.film4 = nn.Linear(o["filmWidth"], 2 * o["width"])
        conv = {
            "kernel_size": o["kernel"],
            "dilation": o["dilation"],
            "padding": o["dilation"] * (o["kernel"] - 1) // 2,
            "padding_mode": {"replicate": "replicate", "zero": "zeros"}[o["padding"]],
        }
        self.conv1 = nn.Conv1d(o["width"], o["width"], **conv)
        self.conv2 = nn.Conv1d(o["width"], o["width"], **conv)

    def forward(self, h, inputs):
        film = inputs
        for layer in (self.film1, self.film2, self.film3):
            film = self.activation(layer(film))
        film = self.film4(film)
        y = self.activation(modulate(self.conv1(h), film))
        return h + self.activation(modulate(self.conv2(y), film))


class FilmNetwork(nn.Module):
    """The blog's network: see lib/filmCnn.ts."""

    def __init__(self, shape, o):
        super().__init__()
        inputs = shape["conditions"] + 2 * o["octaves"]
        octaves = torch.arange(o["octaves"])
        self.register_buffer("frequencies", 2 * math.pi * 2.0**octaves, persistent=False)
        self.lift = nn.Conv1d(shape["fields"], o["width"], 1)
        self.blocks = nn.ModuleList(FilmBlock(inputs, o) for _ in range(o["blocks"]))
        self.project = nn.Conv1d(o["width"], shape["outputs"], 1)
        self.field_scale = nn.Linear(inputs, 2 * shape["outputs"])

    def forward(self, x, conditions, t):
        angles = t * self.frequencies
        inputs = torch.cat([conditions, angles.sin(), angles.cos()], dim=1)
        h = self.lift(x.transpose(1, 2))
        for block in self.blocks:
            h = block(h, inputs)
        gain, bias = self.field_scale(inputs).unsqueeze(-1).chunk(2, dim=1)
        return (self.project(h) * gain + bias).transpose(1, 2)


class Position(nn.Module):
    """One learned vector a token, added."""

    def __init__(self, tokens, width):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(tokens, width))

    def forward(self, h):
        return h + self.bias


class TokenBlock(nn.Module):
    """h + conv(act(film(conv(act(film(h)))))), each film with a layer of its own on the one trunk."""

    def __init__(self, activation, o):
        super().__init__()
        self.activation = activation
        self.film1 = nn.Linear(o["filmWidth"], 2 * o["width"])
        self.film2 = nn.Linear(o["filmWidth"], 2 * o["width"])
        near, far = o["dilations"]
        self.conv1 = nn.Conv1d(o["width"], o["width"], o["kernel"], padding="same", dilation=near)
        self.conv2 = nn.Conv1d(o["width"], o["width"], o["kernel"], padding="same", dilation=far)

    def forward(self, h, film):
        y = self.conv1(self.activation(modulate(h, self.film1(film))))
        return h + self.conv2(self.activation(modulate(y, self.film2(film))))


class TokenNetwork(nn.Module):
    """The network of the quick presets: see lib/presets/patchNetwork.ts."""

    def __init__(self, shape, o):
        super().__init__()
        self.shape = shape
        self.stride = o["stride"]
        self.activation = ACTIVATIONS[o.get("activation", "swish")]
        self.film1 = nn.Linear(shape["conditions"] + 1, o["filmWidth"])
        self.film2 = nn.Linear(o["filmWidth"], o["filmWidth"])
        self.lift = nn.Linear(o["stride"] * shape["fields"], o["width"])
        self.position = Position(shape["cells"] // o["stride"], o["width"])
        self.blocks = nn.ModuleList(TokenBlock(self.activation, o) for _ in range(o["blocks"]))
        self.project = nn.Linear(o["width"], o["stride"] * shape["outputs"])

    def forward(self, x, conditions, t):
        film = torch.cat([conditions, t], dim=1)
        for layer in (self.film1, self.film2):
            film = self.activation(layer(film))
        cut = x.reshape(len(x), -1, self.stride * self.shape["fields"])
        h = self.position(self.lift(cut)).transpose(1, 2)
        for block in self.blocks:
            h = block(h, film)
        y = self.project(self.activation(h).transpose(1, 2))
        return y.reshape(len(x), self.shape["cells"], self.shape["outputs"])


def build(shape, options):
    """The network for a shape (cells, fields, outputs, conditions) and options with their kind."""
    kinds = {"film": FilmNetwork, "token": TokenNetwork}
    if options["kind"] not in kinds:
        raise ValueError(f"The kind of network is {options['kind']}; networks.py has {', '.join(kinds)}.")
    return kinds[options["kind"]](shape, options)


def path_of(name):
    """The place in the module of a weight of lib/network: block2_conv1/kernel -> blocks.1.conv1.weight."""
    layer, kind = name.split("/")
    block = re.fullmatch(r"block(\d+)_(\w+)", layer)
    if block:
        layer = f"blocks.{int(block[1]) - 1}.{block[2]}"
    return f"{layer}.{'weight' if kind == 'kernel' else kind}"


def name_of(path):
    """The name in lib/network of a parameter: blocks.1.conv1.weight -> block2_conv1/kernel."""
    layer, kind = path.rsplit(".", 1)
    layer = re.sub(r"^blocks\.(\d+)\.", lambda match: f"block{int(match[1]) + 1}_", layer)
    return f"{layer}/{'kernel' if kind == 'weight' else kind}"


def turned(path, tensor):
    """A kernel from lib/network's [kernel, in, out] to PyTorch's [out, in, kernel], or back; a bias itself."""
    return tensor.permute(*reversed(range(tensor.dim()))) if path.endswith(".weight") else tensor


def load(network, weights):
    """Puts weights, by their names in lib/network, into a network.

    Raises ValueError if they are not just its own.
    """
    parameters = dict(network.named_parameters())
    given = {path_of(name): value for name, value in weights.items()}
    if parameters.keys() != given.keys():
        differing = ", ".join(sorted(parameters.keys() ^ given.keys())[:6])
        raise ValueError(f"Only one of lib/network and networks.py has these weights: {differing}.")
    with torch.no_grad():
        for path, parameter in parameters.items():
            value = turned(path, given[path])
            if value.shape != parameter.shape:
                shapes = f"{list(value.shape)} and {list(parameter.shape)}"
                raise ValueError(f"The shapes of {path} in lib/network and networks.py are {shapes}.")
            parameter.copy_(value)
