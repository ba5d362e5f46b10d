"""The language model of gsm8k_characters.rs in PyTorch, from the weights that it wrote, on the windows that it saw.

python -m pip install torch==2.15.0 transformers==5.23.0
python aprm-models/examples/gsm8k_characters.py TEXT FOLDER STEPS > pytorch.csv
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers

WINDOWS, LEN = 64, 128
path, folder, steps = sys.argv[1:]
with open(path, encoding="utf-8", newline="") as file:
    text = file.read()
index = {character: i for i, character in enumerate(sorted(set(text)))}
tokens = torch.tensor([index[character] for character in text])

model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
assert model.config.vocab_size == len(index)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 20))


def window_starts():
    """The recurrence of gsm8k_characters.rs."""
    x = 1
    while True:
        x = (6364136223846793005 * x + 1442695040888963407) % 2**64
        yield (x >> 33) % (len(tokens) - (LEN - 1))


starts = window_starts()
print("step,loss")
for step in range(int(steps)):
    ids = torch.stack([tokens[start : start + LEN] for _, start in zip(range(WINDOWS), starts)])
    optimizer.zero_grad()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    print(f"{step},{loss.item():.7f}", flush=True)
