"""Reference numbers of the gallery by independent programs: writes data/results/gallery-peers.json, which
tests/gallery-peers.test.ts holds the gallery's own references against.

    build/peers/bin/python tests/gallery-peers.py       (a few minutes; requirements-peers.txt)

dynamax smooths Ornstein and Uhlenbeck's process, particles filters the double well, diffrax follows the bean and the wave's
fast variable.
"""

import importlib.metadata
import json
import pathlib
import sys

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import particles
from dynamax.linear_gaussian_ssm import LinearGaussianSSM
from particles import distributions as dists
from particles import state_space_models as ssm

jax.config.update("jax_enable_x64", True)
NOISE = 0.04  # variance of the observations
VELOCITY_NOISE = 0.01  # of the bean's velocities
results = []


def found(what, peer, value, error=0.0):
    results.append({"what": what, "peer": peer, "value": float(value), "standardError": float(error)})
    print(f"{what}: {value:.5f} +- {error:.5f} ({peer})", file=sys.stderr)


def ornstein_uhlenbeck():
    """Half steps; what is not seen has a noise so large that it says nothing."""
    seen = {2: 1.2, 4: -0.3, 6: -1.0, 8: 0.8}
    large = 1e10
    keep = np.exp(-0.5)
    y = np.array([[seen.get(k, 0.0)] for k in range(9)])
    noise = np.array([[[NOISE if k in seen else large]] for k in range(9)])
    model = LinearGaussianSSM(state_dim=1, emission_dim=1)
    one = lambda value: jnp.array([[value]])
    params, _ = model.initialize(
        initial_mean=jnp.zeros(1),
        initial_covariance=one(0.5),
        dynamics_weights=one(keep),
        dynamics_covariance=one(0.5 * (1 - keep**2)),
        emission_weights=one(1.0),
        emission_covariance=jnp.array(noise),
    )
    posterior = model.smoother(params, jnp.array(y))
    unseen = 5 * -0.5 * np.log(2 * np.pi * large)
    found("OU: log p(y)", "dynamax", posterior.marginal_loglik - unseen)
    for k in (1, 3, 5):
        found(f"OU: mean at {k / 2}", "dynamax", posterior.smoothed_means[k, 0])
        found(f"OU: deviation at {k / 2}", "dynamax", np.sqrt(posterior.smoothed_covariances[k, 0, 0]))


UNIT = 200
STEP = 1 / UNIT


class DoubleWell(ssm.StateSpaceModel):
    """Euler's steps (X, X at 1.5), each STEP long, seen after each unit of time."""

    def PX0(self):
        return dists.IndepProd(Stationary(), dists.Dirac())

    def PX(self, t, xp):
        x, kept = xp[:, 0], xp[:, 1]
        moved = dists.Normal(loc=x + STEP * 4 * (x - x**3), scale=np.sqrt(STEP))
        return dists.IndepProd(moved, dists.Dirac(loc=x if t == round(1.5 / STEP) + 1 else kept))

    def PY(self, t, xp, x):
        return dists.Normal(loc=x[:, 0], scale=np.sqrt(NOISE)) if t % UNIT == 0 and t > 0 else Nothing(len(x))


class Stationary(dists.ProbDist):
    dim = 1

    def rvs(self, size=None):
        x = np.linspace(-3, 3, 6001)
        below = np.cumsum(np.exp(4 * (x**2 - x**4 / 2)))
        return np.interp(np.random.uniform(size=size), below / below[-1], x)


class Nothing(dists.ProbDist):
    """Not seen: all particles are as likely."""

    def __init__(self, count):
        self.count = count

    def logpdf(self, x):
        return np.zeros(self.count)


def double_well(runs=8, count=50_000):
    np.random.seed(1)
    y = [np.nan] * (4 * UNIT + 1)
    for t, value in zip((1, 2, 3, 4), (1.05, -0.9, -1.1, 0.95)):
        y[t * UNIT] = value
    evidence, means = [], []
    for _ in range(runs):
        run = particles.SMC(fk=ssm.Bootstrap(ssm=DoubleWell(), data=y), N=count)
        run.run()
        evidence.append(run.logLt)
        means.append(np.sum(run.W * run.X[:, 1]))
    for name, values in (("log p(y)", evidence), ("mean at 1.5", means)):
        found(f"double well: {name}", "particles", np.mean(values), np.std(values, ddof=1) / np.sqrt(runs))


def ends(drift, spread, start, time, step, key, method):
    """The ends of many paths (count, dimension) with independent noise in each coordinate."""
    dimension = start.shape[1]

    def one(x0, own):
        noise = diffrax.VirtualBrownianTree(0.0, time, step / 2, (dimension,), own)
        terms = diffrax.MultiTerm(
            diffrax.ODETerm(lambda t, x, _: drift(x)),
            diffrax.ControlTerm(lambda t, x, _: jnp.diag(spread(x)), noise),
        )
        return diffrax.diffeqsolve(terms, method, 0.0, time, step, x0, max_steps=None).ys[0]

    return jax.jit(jax.vmap(one))(start, jax.random.split(key, len(start)))


def bean(count=50_000):
    """The drift and the noise of a Gaussian process of nine velocities (length 0.5, variance 0.5, noise 0.01)."""
    phi = np.linspace(0, np.pi, 63)
    r = np.sin(phi) ** 3 + np.cos(phi) ** 3
    points = np.stack([r * np.cos(phi) - 0.3, r * np.sin(phi) - 0.3], 1)
    chosen = np.arange(0, 62, 7)
    places, velocities = jnp.array(points[chosen]), jnp.array(10 * np.diff(points, axis=0)[chosen])
    kernel = lambda a, b: 0.5 * jnp.exp(-((a[..., None, :] - b) ** 2).sum(-1) / (2 * 0.5**2))
    inverse = jnp.linalg.inv(kernel(places, places) + 0.01 * jnp.eye(len(places)))
    weights = inverse @ velocities
    drift = lambda x: kernel(x, places) @ weights

    def spread(x):
        k = kernel(x, places)
        return jnp.sqrt(0.5 - k @ inverse @ k + VELOCITY_NOISE) * jnp.ones(2)

    first, second = jax.random.split(jax.random.PRNGKey(1))
    start = jnp.array([-0.5, 0.0]) + 0.1 * jax.random.normal(first, (count, 2))
    x = np.array(ends(drift, spread, start, 1.0, 1 / 200, second, diffrax.Euler()))
    centred = x - x.mean(0)
    for i in (0, 1):
        found(f"bean: mean {i + 1}", "diffrax", x[:, i].mean(), x[:, i].std() / np.sqrt(count))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        product = centred[:, i] * centred[:, j]
        found(f"bean: P{i + 1}{j + 1}", "diffrax", product.mean(), product.std() / np.sqrt(count))


def fast_variable(count=40_000):
    """E Y^2 of dY = (Y - Y^3) dt + sqrt(2 tau) dB, tau = 0.3, after a time of 10."""
    start = jax.random.normal(jax.random.PRNGKey(2), (count, 1))
    spread = lambda y: jnp.sqrt(0.6) * jnp.ones(1)
    y = np.array(ends(lambda y: y - y**3, spread, start, 10.0, 1 / 40, jax.random.PRNGKey(3), diffrax.Heun()))
    found("wave: E y^2", "diffrax", (y**2).mean(), (y**2).std() / np.sqrt(count))


for part in (ornstein_uhlenbeck, fast_variable, bean, double_well):
    part()
names = ("dynamax", "particles", "diffrax", "jax", "numpy")
made = {"command": "build/peers/bin/python tests/gallery-peers.py", "versions": {n: importlib.metadata.version(n) for n in names}}
path = pathlib.Path(__file__).parent.parent / "data" / "results" / "gallery-peers.json"
path.write_text(json.dumps({**made, "results": results}, indent=1) + "\n")
