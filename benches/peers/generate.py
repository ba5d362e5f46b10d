"""Batched generation by transformers: 64 prompts of 32 tokens, 64 tokens for each, drawn from the policy itself.

python benches/peers/generate.py [eager|static|compile] [threads] [model=b] [device=cpu] [dtype=f32] [prompts=64] [tokens=64] [rounds=7]

The cache of `eager` is dynamic. On a GPU a static one is what transformers compiles for of its own accord, so `static` is `compile` there.
"""

import statistics

import torch
import transformers

import peer

PROMPT_LEN = 32

mode, threads = peer.words("eager", "2")
prompts, new_tokens, rounds = peer.number("prompts", 64), peer.number("tokens", 64), peer.number("rounds", 7)
torch.set_num_threads(int(threads))
model = peer.model(peer.OPTIONS.get("model", "b")).to(peer.DTYPE).eval()
ids = torch.randint(model.config.vocab_size, (prompts, PROMPT_LEN), device=peer.DEVICE)
mask = torch.ones_like(ids)
options = {"cache_implementation": "static"} if mode in ("static", "compile") else {}
if mode == "compile" and not peer.HAS_GPU:
    options["compile_config"] = transformers.CompileConfig(mode="default")
    # On its own it compiles for accelerators only.
    options["compile_config"]._compile_all_devices = True


def generate():
    with torch.inference_mode():
        tokens = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=new_tokens,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            use_cache=True,
            pad_token_id=0,
            **options,
        )
    assert tokens.shape == (prompts, PROMPT_LEN + new_tokens)


# What comes first is warm-up, in which compilation happens.
warm_up = min(2, rounds - 1)
median = statistics.median([peer.seconds(generate) for _ in range(rounds)][warm_up:])
print(f"generate transformers-{mode}: {prompts * new_tokens / median:.0f} tokens/s, {peer.ms(median)}, {peer.peak_mib()} MiB at most")
