"""JAX as a peer of `npm run bench`, on the processor: a step and a denoising are one compiled function each.

See peer.py. The networks are those of lib/network in plain functions of its weights, whose layout [kernel, in, out] is
that of JAX's convolutions; inputs and outputs are [batch, cells, fields].
"""

import functools
import math
import os
import sys

# XLA asks once, when it starts.
os.environ |= {"JAX_PLATFORMS": "cpu", "PJRT_NPROC": sys.argv[1]}

import jax
import jax.numpy as jnp
import numpy as np

import peer

ACTIVATIONS = {"swish": jax.nn.silu, "relu": jax.nn.relu, "gelu": jax.nn.gelu, "tanh": jnp.tanh}


def dense(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def conv(weights, name, x, dilation=1, padding="VALID"):
    kernel = weights[f"{name}/kernel"]
    layout = ("NWC", "WIO", "NWC")
    y = jax.lax.conv_general_dilated(
        x, kernel, (1,), padding, rhs_dilation=(dilation,), dimension_numbers=layout
    )
    return y + weights[f"{name}/bias"]


def modulate(h, film):
    """h (1 + gamma) + beta: h [batch, cells, channels], film [batch, 2 channels] (gamma, then beta)."""
    gamma, beta = jnp.split(film[:, None], 2, axis=2)
    return h * (1 + gamma) + beta


def film_network(shape, o, weights, x, conditions, t):
    """The blog's network: see lib/filmCnn.ts."""
    activation = ACTIVATIONS[o["activation"]]
    angles = 2 * math.pi * t * 2.0 ** jnp.arange(o["octaves"])
    inputs = jnp.concatenate([conditions, jnp.sin(angles), jnp.cos(angles)], axis=1)
    edge = o["dilation"] * (o["kernel"] - 1) // 2
    mode = {"replicate": "edge", "zero": "constant"}[o["padding"]]
    h = conv(weights, "lift", x)
    for block in range(1, o["blocks"] + 1):
        film = inputs
        for layer in (1, 2, 3):
            film = activation(dense(weights, f"block{block}_film{layer}", film))
        film = dense(weights, f"block{block}_film4", film)
        y = h
        for layer in (1, 2):
            y = jnp.pad(y, ((0, 0), (edge, edge), (0, 0)), mode)
            y = conv(weights, f"block{block}_conv{layer}", y, o["dilation"])
            y = activation(modulate(y, film))
        h = h + y
    gain, bias = jnp.split(dense(weights, "field_scale", inputs)[:, None], 2, axis=2)
    return conv(weights, "project", h) * gain + bias


def token_network(shape, o, weights, x, conditions, t):
    """The network of the quick presets: see lib/presets/patchNetwork.ts."""
    film = jnp.concatenate([conditions, t], axis=1)
    for layer in (1, 2):
        film = jax.nn.silu(dense(weights, f"film{layer}", film))
    cut = x.reshape(len(x), -1, o["stride"] * shape["fields"])
    h = dense(weights, "lift", cut) + weights["position/bias"]
    for block in range(1, o["blocks"] + 1):
        y = h
        for layer, dilation in enumerate(o["dilations"], start=1):
            y = jax.nn.silu(modulate(y, dense(weights, f"block{block}_film{layer}", film)))
            y = conv(weights, f"block{block}_conv{layer}", y, dilation, "SAME")
        h = h + y
    y = dense(weights, "project", jax.nn.silu(h))
    return y.reshape(len(x), shape["cells"], shape["outputs"])


NETWORKS = {"film": film_network, "token": token_network}


class Workload(peer.Workload):
    """What lib/training does in a step, and lib/network in denoise()."""

    def __init__(self, folder):
        super().__init__(folder)
        about = self.about
        network = NETWORKS[about["network"]["kind"]]
        self.network = functools.partial(network, about["shape"], about["network"])
        # Arguments of the compiled functions: what they only refer to, JAX would take for constants and fold.
        names = ("fields", "inputs", "variances", "vectors", "batch/mean", "batch/std", "batch/level")
        self.data = {name: self.tensors[name] for name in (*names, "batch/timeInput") if name in self.tensors}
        self.data |= {name: jnp.array(about[name]) for name in ("rows", "groups")}
        self.given = {name: value for name, value in self.tensors.items() if name.startswith("forward/")}
        self.given |= {name: jnp.array(value) for name, value in about["forward"].items()}
        # Weights and moments are changed in place.
        self.train = jax.jit(self.update, donate_argnums=0)
        self.denoise = jax.jit(self.denoised)

    def tensor(self, values, shape):
        return jnp.array(np.frombuffer(values, np.float32).reshape(shape))

    def start(self):
        def zeros():
            return jax.tree.map(jnp.zeros_like, self.weights)

        def copy():
            return jax.tree.map(jnp.copy, self.weights)

        moments = {"first": zeros(), "second": zeros()}
        self.state = {"weights": copy(), "average": copy(), "steps": jnp.array(0), **moments}
        self.key = jax.random.key(1)

    def gains(self, variances, levels):
        """See gainsOf in lib/gaussian/preconditioner.ts: levels [n, rows, 1]."""
        l = variances[:, None]
        total = jnp.sqrt(l + levels**2)
        linear = l / total**2
        return total, linear, levels * jnp.sqrt(linear)

    def residual(self, weights, z, total, linear, time_input, inputs, vectors):
        """See ModalPreconditioner.residual."""
        n, rows, _ = z.shape
        cells = self.about["shape"]["cells"]

        def in_cells(modal):
            return (modal @ vectors.mT).reshape(n * rows, cells, -1)

        seen = jnp.concatenate([in_cells(z / total), in_cells(z * linear)], axis=2)
        inputs = jnp.repeat(inputs, len(time_input) // n, axis=0)
        output = self.network(weights, seen, inputs, time_input)
        return output.reshape(n, rows, -1) @ vectors * linear.max(axis=2, keepdims=True)

    def loss(self, weights, data, noise):
        """See batchLoss in lib/storage/batches.ts."""
        clean = data["fields"][data["rows"]]
        inputs = data["inputs"][data["groups"]]
        mean, std, level, time_input = (data[f"batch/{name}"] for name in ("mean", "std", "level", "timeInput"))
        n = len(inputs)
        rows = len(clean) // n
        if self.about["target"] == "residual":
            vectors, variances = (data[name][data["groups"]] for name in ("vectors", "variances"))
            exact = clean.reshape(n, rows, -1) @ vectors
            z = exact + (noise * level[:, None, None]).reshape(n, rows, -1) @ vectors
            total, linear, error = self.gains(variances, level.reshape(n, rows, 1))
            left = (exact - z * linear) / error
            seen = variances / (variances + peer.FAINT_VARIANCE)
            shares = (seen / seen.mean(axis=1, keepdims=True))[:, None]
            output = self.residual(weights, z, total, linear, time_input[:, None], inputs, vectors)
            return ((output - left) ** 2 * shares).mean()
        mean, std = mean[:, None, None], std[:, None, None]
        inputs = jnp.repeat(inputs, rows, axis=0)
        output = self.network(weights, clean * mean + noise * std, inputs, time_input[:, None])
        if self.about["target"] == "score":
            return ((output * std + noise) ** 2).mean()
        return ((output - (noise * mean - clean * std)) ** 2).mean()

    def update(self, state, data, noise):
        """Loss, gradient, clipping, Adam and moving average; noise: an array, or the key to draw it with."""
        training = self.about["training"]
        if jnp.issubdtype(noise.dtype, jax.dtypes.prng_key):
            noise = jax.random.normal(noise, (len(data["rows"]), *data["fields"].shape[1:]))
        loss, gradient = jax.value_and_grad(self.loss)(state["weights"], data, noise)
        if training["clip"] > 0:
            norm = jnp.sqrt(sum((g**2).sum() for g in gradient.values()))
            gradient = jax.tree.map(lambda g: g * jnp.minimum(1, training["clip"] / norm), gradient)
        beta1, beta2, steps = training["beta1"], training["beta2"], state["steps"] + 1
        first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, state["first"], gradient)
        second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state["second"], gradient)

        def moved(w, m, v):
            root = jnp.sqrt(v / (1 - beta2**steps)) + 1e-8
            return w - training["rate"] * m / (1 - beta1**steps) / root

        weights = jax.tree.map(moved, state["weights"], first, second)
        ema = training["ema"]
        average = jax.tree.map(lambda a, w: ema * a + (1 - ema) * w, state["average"], weights)
        moments = {"first": first, "second": second}
        return {"weights": weights, "average": average, "steps": steps, **moments}, loss

    def step(self, noise=None):
        if noise is None:
            self.key, noise = jax.random.split(self.key)
        self.state, loss = self.train(self.state, self.data, noise)
        return loss.item()

    def denoised(self, weights, given):
        x, inputs = given["forward/x"], given["forward/inputs"]
        time_input = given["timeInput"].reshape(1, 1)
        if self.about["target"] != "residual":
            # One condition and one time serve all rows.
            output = self.network(weights, x, inputs, time_input)
            return (output - x * given["onState"]) / given["onDenoised"]
        vectors = given["forward/vectors"]
        z = (x / given["mean"]).reshape(1, len(x), -1) @ vectors
        total, linear, error = self.gains(given["forward/variances"], given["level"].reshape(1, 1, 1))
        residual = self.residual(weights, z, total, linear, time_input, inputs, vectors)
        return ((z * linear + residual * error) @ vectors.mT).reshape(x.shape)

    def forward(self):
        return self.denoise(self.state["weights"], self.given).block_until_ready()


if __name__ == "__main__":
    peer.serve(Workload)
