"""Writes one small random model of each family, with what transformers computes on it, for tests/models/.

python -m pip install torch==2.15.0 transformers==5.23.0 safetensors && python make_models.py

FOLDER/config.json, FOLDER/model.safetensors   as save_pretrained writes them
FOLDER/golden.safetensors                      ids, logits, the mean cross-entropy of the next tokens, its gradients by
                                               name, the loss after each of ten AdamW steps, greedy continuations

Reward models have class logits of all tokens, and the mean cross-entropy of four of them against soft labels; their
heads are transformers' own or those of heads.py.
"""

import os
import pathlib

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers
from heads import HEADED
from safetensors.torch import save_file

SHAPE = dict(
    vocab_size=29,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=64,
    attn_implementation="eager",
)
LLAMA3_ROPE = dict(
    rope_type="llama3",
    rope_theta=500000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
MODELS = {
    "llama": transformers.LlamaConfig(**SHAPE, num_key_value_heads=4),
    "llama3": transformers.LlamaConfig(
        **SHAPE, num_key_value_heads=2, rope_parameters=LLAMA3_ROPE, tie_word_embeddings=True
    ),
    "mistral": transformers.MistralConfig(**SHAPE, num_key_value_heads=1, head_dim=8, sliding_window=None),
    "qwen2": transformers.Qwen2Config(**SHAPE, num_key_value_heads=2, tie_word_embeddings=True),
    "qwen3": transformers.Qwen3Config(**SHAPE, num_key_value_heads=2, head_dim=6),
}


def loss_of(model, ids):
    return torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:])


here = pathlib.Path(__file__).parent
for name, config in MODELS.items():
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for parameter in model.parameters():  # away from ones, zeros and the tiny default scale
            parameter.add_(torch.randn_like(parameter) * 0.2)
    folder = here / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)

    ids = torch.randint(config.vocab_size, (1, 40))
    golden = {"ids": ids[0].int(), "logits": model(ids).logits[0].detach()}
    prompts = [ids[:, :n] for n in (1, 3, 7)]
    for prompt in prompts:
        continued = prompt
        for _ in range(16):
            continued = torch.cat([continued, model(continued).logits[:, -1:].argmax(-1)], 1)
        golden[f"greedy.{prompt.shape[1]}"] = continued[0].int()
    loss = loss_of(model, ids)
    loss.backward()
    golden["loss"] = loss.detach().reshape(1)
    for parameter_name, parameter in model.named_parameters():
        golden[f"gradient.{parameter_name}"] = parameter.grad.clone()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of(model, ids)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    golden["losses"] = torch.tensor(losses)
    save_file(golden, folder / "golden.safetensors")

TOKEN_CLASSIFIERS = {
    "qwen2_token_classifier": transformers.Qwen2Config(**SHAPE, num_key_value_heads=2),
    "llama_token_classifier": transformers.LlamaConfig(**SHAPE, num_key_value_heads=4, num_labels=3),
}
STEPS = [4, 11, 23, 39]

for name in [*TOKEN_CLASSIFIERS, *HEADED]:
    torch.manual_seed(0)
    if name in HEADED:
        model = HEADED[name].random(SHAPE)
    else:
        model = transformers.AutoModelForTokenClassification.from_config(TOKEN_CLASSIFIERS[name])
    model = model.float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    folder = here / name
    model.save_pretrained(folder)

    ids = torch.randint(SHAPE["vocab_size"], (1, 40))
    logits = model(ids).logits[0]
    golden = {"ids": ids[0].int(), "logits": logits.detach(), "steps": torch.tensor(STEPS).int()}
    chosen = logits[STEPS]
    if chosen.shape[1] == 1:  # one number is the logit of the right class, beside a zero
        chosen = torch.cat([torch.zeros_like(chosen), chosen], 1)
    labels = torch.rand_like(chosen)
    labels = labels / labels.sum(1, keepdim=True)
    loss = torch.nn.functional.cross_entropy(chosen, labels)
    loss.backward()
    golden |= {"labels": labels, "loss": loss.detach().reshape(1)}
    for parameter_name, parameter in model.named_parameters():
        if parameter.grad is not None:
            golden[f"gradient.{parameter_name}"] = parameter.grad.clone()
    save_file(golden, folder / "golden.safetensors")
