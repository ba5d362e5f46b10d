"""Writes optax.json: what optax's optimistic optimizers do, for tests/laws/optimizer.rs.

python -m pip install optax==0.2.8 "jax[cpu]" && python make_optax.py > optax.json
"""

import json
import sys

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import optax

MATRIX = jnp.array([[2.0, 1.0, 0.5], [-1.0, 1.5, -0.25], [-0.5, 0.25, 1.0]])
OFFSET = jnp.array([0.3, -0.7, 1.1])
START = [1.0, -2.0, 0.5]


def trajectory(optimizer, pseudo_gradients, start, steps):
    """The parameters before each of `steps` updates and after the last."""
    z = jnp.array(start)
    state = optimizer.init(z)
    points = [z.tolist()]
    for t in range(steps):
        updates, state = optimizer.update(pseudo_gradients(t, z), state, z)
        z = optax.apply_updates(z, updates)
        points.append(z.tolist())
    return points


def quadratic(_, z):
    return MATRIX @ z + OFFSET


def fixed(t, _):
    """Gradients 1, 10, 100 whatever the parameters: the update is then the rule itself."""
    return jnp.array([10.0**t])


def ogda():
    return optax.optimistic_gradient_descent(0.1, alpha=1.0, beta=1.0)


def optimistic_adam(**coefficients):
    return optax.optimistic_adam_v2(0.05, alpha=1.0, beta=1.0, nesterov=False, **coefficients)


json.dump(
    {
        "optax": optax.__version__,
        "matrix": MATRIX.ravel().tolist(),
        "offset": OFFSET.tolist(),
        "ogda_three_updates": trajectory(ogda(), fixed, [0.0], 3),
        "optimistic_adam_three_updates": trajectory(optimistic_adam(), fixed, [0.0], 3),
        "ogda": trajectory(ogda(), quadratic, START, 20),
        "optimistic_adam": trajectory(optimistic_adam(b1=0.8, b2=0.95, eps=1e-6), quadratic, START, 20),
        "adam": trajectory(optax.adam(0.05), quadratic, START, 20),
        "adamw": trajectory(optax.adamw(0.05, weight_decay=0.1), quadratic, START, 20),
    },
    sys.stdout,
    indent=1,
)
print()
