"""A training step (forward, backward, AdamW) of small Llama models in PyTorch, on padded batches as its users run them.

python -m pip install torch==2.15.0 transformers==5.23.0 && python aprm-models/benches/train_step.py [a|b|c] [eager|compile|best] [threads]

`compile` needs a C++ compiler; `best` runs both, each in a process of its own, and prints the faster.
"""

import os
import resource
import statistics
import subprocess
import sys
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers

SHAPES = {
    "a": dict(hidden_size=128, num_hidden_layers=3, vocab_size=64, intermediate_size=352, num_attention_heads=4),
    "b": dict(hidden_size=256, num_hidden_layers=6, vocab_size=2048, intermediate_size=704, num_attention_heads=8),
    "c": dict(hidden_size=512, num_hidden_layers=8, vocab_size=8192, intermediate_size=1408, num_attention_heads=8),
}
LENGTHS = {"a": [40 + 37 * i % 81 for i in range(64)], "b": [512] * 8, "c": [512] * 4}

name, mode, threads = (sys.argv[1:] + ["a", "eager", "2"][len(sys.argv) - 1 :])[:3]
if mode == "best":
    runs = [subprocess.run([sys.executable, __file__, name, mode, threads], stdout=subprocess.PIPE, text=True, check=True).stdout
            for mode in ("eager", "compile")]
    print(min(runs, key=lambda run: float(run.split()[2])), end="")
    sys.exit()
torch.set_num_threads(int(threads))
torch.manual_seed(0)
config = transformers.LlamaConfig(**SHAPES[name], max_position_embeddings=512)
model = transformers.LlamaForCausalLM(config).float().train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
lengths, vocab = LENGTHS[name], config.vocab_size
longest = max(lengths)
ids = torch.randint(vocab, (len(lengths), longest))
mask = torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]
labels = ids.masked_fill(~mask, -100)
forward = torch.compile(model) if mode == "compile" else model
padding = {} if mask.all() else {"attention_mask": mask.long()}


def step():
    optimizer.zero_grad()
    loss = forward(input_ids=ids, labels=labels, **padding).loss
    loss.backward()
    optimizer.step()


for _ in range(3):
    step()
times = []
for _ in range(12):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
tokens = sum(lengths)
parameters = sum(p.numel() for p in model.parameters()) - model.get_input_embeddings().weight.numel()
median = statistics.median(times)
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # KiB on Linux
print(f"{name} pytorch-{mode}: {1e3 * median:.0f} ms, {6 * parameters * tokens / median / 1e9:.0f} GFLOP/s, {tokens} tokens, {parameters} parameters, best {1e3 * min(times):.0f} ms, {peak_mib} MiB at most")
