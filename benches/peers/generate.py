"""Batched generation by transformers: the model b, 64 prompts of 32 tokens, 64 tokens for each, drawn from the policy itself.

python benches/peers/generate.py [dynamic|static|compile] [threads]
"""

import os
import resource
import statistics
import sys
import time

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers

PROMPTS, PROMPT_LEN, NEW_TOKENS = 64, 32, 64

mode, threads = (sys.argv[1:] + ["dynamic", "2"][len(sys.argv) - 1 :])[:2]
torch.set_num_threads(int(threads))
torch.manual_seed(0)
config = transformers.LlamaConfig(
    hidden_size=256,
    num_hidden_layers=6,
    vocab_size=2048,
    intermediate_size=704,
    num_attention_heads=8,
    max_position_embeddings=512,
    # No token ends a sequence.
    bos_token_id=None,
    eos_token_id=None,
)
model = transformers.LlamaForCausalLM(config).float().eval()
prompts = torch.randint(config.vocab_size, (PROMPTS, PROMPT_LEN))
mask = torch.ones_like(prompts)
options = {} if mode == "dynamic" else {"cache_implementation": "static"}
if mode == "compile":
    options["compile_config"] = transformers.CompileConfig(mode="default")
    # On its own it compiles for accelerators only.
    options["compile_config"]._compile_all_devices = True


def generate():
    with torch.inference_mode():
        tokens = model.generate(
            prompts,
            attention_mask=mask,
            max_new_tokens=NEW_TOKENS,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            use_cache=True,
            pad_token_id=0,
            **options,
        )
    assert tokens.shape == (PROMPTS, PROMPT_LEN + NEW_TOKENS)


times = []
for _ in range(7):
    start = time.perf_counter()
    generate()
    times.append(time.perf_counter() - start)
# What comes first is warm-up, in which compilation happens.
median = statistics.median(times[2:])
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # KiB on Linux
print(f"generate transformers-{mode}: {PROMPTS * NEW_TOKENS / median:.0f} tokens/s, {1e3 * median:.0f} ms, {peak_mib} MiB at most")
