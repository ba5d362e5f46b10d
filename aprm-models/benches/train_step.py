"""A training step (forward, backward, AdamW) of Llama and Qwen2 models in PyTorch, on padded batches as its users run them.

python -m pip install torch==2.15.0 transformers==5.23.0 && python aprm-models/benches/train_step.py [a|b|c|qwen] [eager|compile|best] [threads] [device=cpu] [dtype=f32] [steps=15] [length=512] [clip=1]

`compile` needs a C++ compiler; `best` runs both, each in a process of its own, and prints the faster. `clip` is the largest
norm of all gradients, if any; `dtype=bf16` is autocast, so weights, gradients and moments stay in f32.
"""

import os
import statistics
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), "../../benches/peers"))
import peer
import torch

name, mode, threads = peer.words("a", "eager", "2")
if mode == "best":
    options = [argument for argument in sys.argv[1:] if "=" in argument]
    runs = [subprocess.run([sys.executable, __file__, name, mode, threads, *options], stdout=subprocess.PIPE, text=True, check=True).stdout
            for mode in ("eager", "compile")]
    print(min(runs, key=lambda run: float(run.split()[2])), end="")
    sys.exit()
steps, length = peer.number("steps", 15), peer.number("length", 512)
lengths = {"a": [40 + 37 * i % 81 for i in range(64)], "c": [length] * 4}.get(name, [length] * 8)
torch.set_num_threads(int(threads))
model = peer.model(name).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=peer.HAS_GPU or None)
vocab = model.config.vocab_size
longest = max(lengths)
with peer.DEVICE:
    ids = torch.randint(vocab, (len(lengths), longest))
    mask = torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]
labels = ids.masked_fill(~mask, -100)
forward = torch.compile(model) if mode == "compile" else model
padding = {} if mask.all() else {"attention_mask": mask.long()}


def step():
    optimizer.zero_grad()
    with torch.autocast(peer.DEVICE.type, torch.bfloat16, enabled=peer.DTYPE == torch.bfloat16):
        loss = forward(input_ids=ids, labels=labels, **padding).loss
    loss.backward()
    if max_norm := peer.number("clip", 0):
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()


times = [peer.seconds(step) for _ in range(steps)][min(3, steps - 1) :]
tokens = sum(lengths)
parameters = sum(p.numel() for p in model.parameters())
if not model.config.tie_word_embeddings:
    parameters -= model.get_input_embeddings().weight.numel()
median = statistics.median(times)
print(f"{name} pytorch-{mode}: {peer.ms(median)}, {6 * parameters * tokens / median / 1e9:.0f} GFLOP/s, {tokens} tokens, {parameters} parameters, best {peer.ms(min(times))}, {peer.peak_mib()} MiB at most")
