"""Writes tests/data/parity.json: what PyTorch computes with networks.py, for tests/parity.test.ts.

    .venv/bin/python -m pip install -r requirements-bench.txt
    .venv/bin/python tests/parity.py && npm run format

Weights and inputs are not stored: both sides make them from a formula, see chirp(). Of each gradient the norm, two
projections and, if it is small, all entries are.
"""

import json
import pathlib
import sys

import torch

TESTS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS.parent / "scripts" / "bench"))

import networks

ROWS = 4
# Gradients of at most so many entries are stored whole.
SMALL = 24

BLOG = {
    "kind": "film",
    "blocks": 10,
    "width": 64,
    "kernel": 7,
    "dilation": 1,
    "padding": "replicate",
    "activation": "swish",
    "filmWidth": 128,
    "octaves": 16,
}
FILM = {**BLOG, "blocks": 2, "width": 6, "kernel": 5, "filmWidth": 8, "octaves": 3}
TOKEN = {
    "kind": "token",
    "stride": 4,
    "width": 96,
    "blocks": 6,
    "kernel": 3,
    "dilations": [1, 5],
    "filmWidth": 192,
}

FIELDS = {"cells": 100, "fields": 2, "outputs": 2, "conditions": 3}
# Other numbers of fields in and out, as for the target "residual".
OTHERS = {"cells": 100, "fields": 5, "outputs": 3, "conditions": 1}
# Six responses, and their linear estimates beside them.
RESPONSES = {"cells": 100, "fields": 12, "outputs": 6, "conditions": 1}

CASES = {
    "the blog's network": (BLOG, FIELDS),
    "a small film network": (FILM, FIELDS),
    "film, dilated": (FILM | {"dilation": 3}, FIELDS),
    "film, zero padding, dilated": (FILM | {"padding": "zero", "dilation": 2, "activation": "gelu"}, OTHERS),
    "film, tanh": (FILM | {"kernel": 3, "activation": "tanh"}, FIELDS),
    "film, relu": (FILM | {"blocks": 1, "activation": "relu"}, FIELDS),
    "a token network": (TOKEN, FIELDS),
    "token, on responses": (
        TOKEN | {"stride": 10, "width": 128, "blocks": 4, "dilations": [1, 2]},
        RESPONSES,
    ),
    "token, both dilated": (
        TOKEN | {"stride": 5, "width": 10, "blocks": 2, "kernel": 5, "dilations": [2, 3], "filmWidth": 12},
        FIELDS,
    ),
}


def chirp(name, shape, amplitude):
    """amplitude sin(phase + c i^2) for i = 0, 1, ..., rounded to float32; phase and c depend on the name.

    A plain sine would make matrices of rank two. The arguments are the same to the bit in every language.
    """
    code = 0
    for letter in name:
        code = (code * 31 + ord(letter)) % 65521
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (amplitude * torch.sin(code + (0.5 + code / 65521) * i * i)).float().reshape(shape)


def weight(name, shape):
    """A weight in the layout of lib/network: kernels with a variance of 1 / inputs, and biases of order 0.3."""
    inputs = torch.Size(shape[:-1]).numel()
    return chirp(name, shape, (2 / inputs) ** 0.5 if name.endswith("/kernel") else 0.3)


def numbers(tensor):
    """The entries with as many digits as single precision has."""
    return [float(f"{value:.7g}") for value in tensor.flatten().tolist()]


def measures(name, gradient):
    """What is stored of a gradient."""
    flat = gradient.flatten().double()
    unit = (2 / len(flat)) ** 0.5
    projections = [chirp(f"{name}/projection{k}", flat.shape, unit).double().dot(flat) for k in (1, 2)]
    stored = {"norm": numbers(flat.norm())[0], "projections": numbers(torch.stack(projections))}
    return stored | ({"values": numbers(flat)} if len(flat) <= SMALL else {})


def case(name, options, shape):
    """Output and gradients of one network; the gradients are those of the output's product with a chirp."""
    network = networks.build(shape, options)
    weights = {}
    for path, parameter in network.named_parameters():
        own = networks.name_of(path)
        weights[own] = weight(own, networks.turned(path, parameter).shape)
    networks.load(network, weights)
    inputs = {
        "x": chirp("x", (ROWS, shape["cells"], shape["fields"]), 2**0.5),
        "conditions": chirp("conditions", (ROWS, shape["conditions"]), 1),
        "t": chirp("t", (ROWS, 1), 0.5) + 0.5,
    }
    for tensor in (inputs["x"], inputs["conditions"]):
        tensor.requires_grad_()
    output = network(*inputs.values())
    (output * chirp("loss", output.shape, 1)).sum().backward()
    gradients = {
        networks.name_of(path): measures(networks.name_of(path), networks.turned(path, parameter.grad))
        for path, parameter in network.named_parameters()
    }
    gradients |= {key: measures(key, inputs[key].grad) for key in ("x", "conditions")}
    computed = {"output": numbers(output), "gradients": gradients}
    return {"name": name, "network": options, "shape": shape} | computed


def main():
    file = TESTS / "data" / "parity.json"
    cases = [case(name, *about) for name, about in CASES.items()]
    about = {"madeBy": "tests/parity.py", "torch": torch.__version__, "rows": ROWS}
    file.write_text(json.dumps(about | {"cases": cases}), encoding="utf-8")
    print(f"{len(cases)} cases, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
