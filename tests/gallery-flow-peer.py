"""Kolmogorov's flow by exponax, an independent program: writes data/results/gallery-flow-peer.json, which
tests/gallery-ideal-les.test.ts and the gallery's notebook 3 hold our solver against.

    python3 -m venv build/peers && build/peers/bin/pip install -r requirements-peers.txt
    build/peers/bin/python tests/gallery-flow-peer.py       (minutes)
"""

import importlib.metadata
import json
import pathlib
import sys

import exponax
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
SIDE, KEPT = 64, 7
STEP = 0.02
EARLY_SIDE, EARLY_STEP = 128, 0.005  # so fine that it does not matter which of the large wavenumbers are kept
RUNS, BEFORE, LENGTH, EVERY = 4, 20, 100, 0.5



def steps(state, count, step=STEP, side=SIDE):
    stepper = exponax.stepper.KolmogorovFlowVorticity(
        2,
        2 * np.pi,
        side,
        step,
        diffusivity=0.005,
        drag=-0.1,
        injection_mode=4,
        injection_scale=1.0,
        convection_scale=-1.0,  # its velocity is that of the vorticity -w; with 1 it solves our equation's mirror image
        order=4,
        dealiasing_fraction=2 / 3,
    )
    return jax.lax.fori_loop(0, count, lambda _, w: stepper(w), state)


def coefficients(state):
    """Fourier coefficients, [x, y], the mean at (0, 0)."""
    return np.fft.fft2(np.asarray(state)) / np.size(state)


def smooth_start():
    """A field with a formula; exponax's second axis is y."""
    x = 2 * np.pi * np.arange(EARLY_SIDE) / EARLY_SIDE
    x, y = np.meshgrid(x, x, indexing="ij")
    w = 3 * np.cos(2 * x + y) + 2 * np.sin(x - 3 * y) + 1.5 * np.cos(3 * x) * np.sin(2 * y)
    return jnp.array(w)[None]


def shell_energies(w):
    k = np.fft.fftfreq(SIDE, 1 / SIDE)
    kx, ky = np.meshgrid(k, k, indexing="ij")
    square = kx**2 + ky**2
    inside = (np.maximum(abs(kx), abs(ky)) <= KEPT) & (square > 0)
    energy = abs(w) ** 2 / (2 * np.where(square > 0, square, 1)) * inside
    shell = np.round(np.sqrt(square)).astype(int)
    return [float(energy[shell == s].sum()) for s in range(1, KEPT + 1)]


advance = jax.jit(steps, static_argnums=(1, 2, 3))
early = coefficients(advance(smooth_start(), round(1 / EARLY_STEP), EARLY_STEP, EARLY_SIDE)[0])
modes = [(kx, ky) for kx in range(0, 8) for ky in range(-7, 8) if kx + abs(ky) in (1, 4, 7)]
found = [{"kx": kx, "ky": ky, "re": float(early[kx, ky].real), "im": float(early[kx, ky].imag)} for kx, ky in modes]

if "--early" in sys.argv:  # without the spectra
    print(json.dumps(found))
    sys.exit()

rng = np.random.default_rng(1)
noise = np.fft.fft2(rng.standard_normal((RUNS, SIDE, SIDE)))
k = np.fft.fftfreq(SIDE, 1 / SIDE)
low = (k[:, None] ** 2 + k[None, :] ** 2 <= 25) & (k[:, None] ** 2 + k[None, :] ** 2 > 0)
starts = np.real(np.fft.ifft2(noise * low))
state = jnp.array(4 * starts / starts.std(axis=(1, 2), keepdims=True))[:, None]
advance = jax.jit(jax.vmap(steps, in_axes=(0, None)), static_argnums=1)
state = advance(state, round(BEFORE / STEP))
spectra = []
for time in range(round(LENGTH / EVERY)):
    state = advance(state, round(EVERY / STEP))
    spectra.append([shell_energies(coefficients(w[0])) for w in state])
    if time % 40 == 0:
        print(f"{time * EVERY:.0f} of {LENGTH}", file=sys.stderr, flush=True)
runs = np.array(spectra).mean(0)

result = {
    "command": "build/peers/bin/python tests/gallery-flow-peer.py",
    "versions": {name: importlib.metadata.version(name) for name in ("exponax", "jax", "numpy")},
    "early": {"start": "3 cos(2x + y) + 2 sin(x - 3y) + 1.5 cos(3x) sin(2y)", "time": 1, "side": EARLY_SIDE, "step": EARLY_STEP, "modes": found},
    "shells": {
        "time": RUNS * LENGTH,
        "energy": [float(value) for value in runs.mean(0)],
        "standardError": [float(value) for value in runs.std(0, ddof=1) / np.sqrt(RUNS)],
    },
}
path = pathlib.Path(__file__).parent.parent / "data" / "results" / "gallery-flow-peer.json"
path.write_text(json.dumps(result, indent=1) + "\n")
