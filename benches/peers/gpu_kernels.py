"""The kernels of `aprm-wgpu/benches/kernels.rs` as PyTorch has them, under the same names and in the same lines.

python benches/peers/gpu_kernels.py [eager|compile] [device=cpu] [dtype=f32] [largest=8192]

`compile` is of what memory bounds alone: products and attention are library calls either way.
"""

import torch
import torch._functorch.config
import torch.nn.functional as F

import peer

CHANNELS, VOCAB = 1024, 32768
# The least seconds that a kernel is run for.
LEAST = 0.3

(mode,) = peer.words("eager")
largest = peer.number("largest", 8192)
is_small = largest <= 1024


def seconds(run):
    """Of a run, on average over as many as take long enough."""

    def runs():
        for _ in range(count):
            run()

    count = 1
    run()
    while (elapsed := peer.seconds(runs)) < LEAST:
        count *= 4
    return elapsed / count


def numbers(*shape):
    return torch.full(shape, 0.01, dtype=peer.DTYPE, device=peer.DEVICE)


def trainable(*shape):
    return numbers(*shape).requires_grad_()


def backward_of(out, inputs):
    """The gradients of inputs, again and again."""
    grad_out = numbers(*out.shape)
    return lambda: torch.autograd.grad(out, inputs, grad_out, retain_graph=True)


def products(side):
    x, weight, grad_out = (numbers(side, side) for _ in range(3))
    for name, run in [
        ("linear_forward", lambda: x @ weight.T),
        ("linear_backward_input", lambda: grad_out @ weight),
        ("linear_backward_weight", lambda: grad_out.T @ x),
    ]:
        time = seconds(run)
        print(f"{name:28} {side:5}³ {1e3 * time:10.3f} ms {2e-9 * side**3 / time:9.1f} GFLOP/s")


def attention(sequences):
    length, heads, kv_heads, head_dim = 512, 14, 2, 64
    # Flash attention alone knows grouped heads, and has no f32: others are given a key for each query, beforehand.
    is_grouped = peer.HAS_GPU and peer.DTYPE == torch.bfloat16
    query = trainable(sequences, heads, length, head_dim)
    key, value = (trainable(sequences, kv_heads if is_grouped else heads, length, head_dim) for _ in range(2))

    def forward():
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=is_grouped)

    pairs = sequences * length * (length + 1) / 2 * heads * head_dim
    for name, run, count in [
        ("attention_forward", forward, 2),
        ("attention_backward", backward_of(forward(), (query, key, value)), 5),
    ]:
        time = seconds(run)
        print(f"{name:28} {sequences:2} x {length} {1e3 * time:8.3f} ms {2e-9 * count * pairs / time:9.1f} GFLOP/s")


def memory(length):
    maybe_compiled = torch.compile if mode == "compile" else lambda function: function
    if mode == "compile":
        # Otherwise a compiled backward pass runs but once.
        torch._functorch.config.donated_buffer = False
    rows = length // CHANNELS
    x, y = numbers(length), numbers(length)
    copy = seconds(lambda: y.copy_(x))

    def rate(count, time):
        return 1e-9 * x.element_size() * count / time

    def show(name, count, run):
        time = seconds(run)
        of_copy = 100 * rate(count, time) / rate(2 * length, copy)
        print(f"{name:28} {length:9} {1e3 * time:10.3f} ms {rate(count, time):9.1f} GB/s {of_copy:5.0f} %")

    print(f"{'copy':28} {length:9} {1e3 * copy:10.3f} ms {rate(2 * length, copy):9.1f} GB/s")
    show("axpy", 3 * length, maybe_compiled(lambda: y.add_(x, alpha=0.5)))
    show("sum_of_squares", length, maybe_compiled(lambda: torch.linalg.vector_norm(x)))

    norm_x, weight = trainable(rows, CHANNELS), trainable(CHANNELS)
    norm = maybe_compiled(lambda: F.rms_norm(norm_x, (CHANNELS,), weight, 1e-6))
    show("rms_norm_forward", 2 * length, norm)
    show("rms_norm_backward", 3 * length, backward_of(norm(), (norm_x, weight)))

    gate_up = trainable(rows // 2, 2 * CHANNELS)
    swiglu = maybe_compiled(lambda: F.silu(gate_up[:, :CHANNELS]) * gate_up[:, CHANNELS:])
    show("swiglu_forward", length + length // 2, swiglu)
    show("swiglu_backward", 2 * length + length // 2, backward_of(swiglu(), gate_up))

    logits = trainable(length // VOCAB, VOCAB)
    targets = torch.zeros(length // VOCAB, dtype=torch.long, device=peer.DEVICE)
    policy = maybe_compiled(lambda: F.cross_entropy(logits, targets, reduction="none"))
    show("policy_forward", length, policy)
    show("policy_backward", 2 * length, backward_of(policy(), logits))

    if mode == "eager":
        weights = trainable(length)
        weights.grad = numbers(length)
        show("adamw", 7 * length, torch.optim.AdamW([weights], fused=True).step)


if mode == "eager":
    for side in [512, 1024, 2048, 4096, 8192]:
        if side <= largest:
            products(side)
    attention(1 if is_small else 8)
memory(1 << 22 if is_small else 1 << 26)
