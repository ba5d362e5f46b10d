"""What the benches of PyTorch share: their arguments, the device with its clock and memory, and the models of aprm's.

Arguments are words and `name=value`. `device=gpu` takes a GPU where there is one; without it, or else, it is the CPU.
"""

import os
import resource
import sys
import time

WORDS = [argument for argument in sys.argv[1:] if "=" not in argument]
OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)

if OPTIONS.get("device") != "gpu":
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers

# Of a product in f32 all 24 bits are asked for, here as there.
torch.set_float32_matmul_precision("highest")
HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if HAS_GPU else "cpu")
DTYPE = {"f32": torch.float32, "bf16": torch.bfloat16}[OPTIONS.get("dtype", "f32")]

SHAPES = {
    "a": dict(hidden_size=128, num_hidden_layers=3, vocab_size=64, intermediate_size=352, num_attention_heads=4),
    "b": dict(hidden_size=256, num_hidden_layers=6, vocab_size=2048, intermediate_size=704, num_attention_heads=8),
    "c": dict(hidden_size=512, num_hidden_layers=8, vocab_size=8192, intermediate_size=1408, num_attention_heads=8),
    # Qwen2-0.5B's.
    "qwen": dict(
        hidden_size=896,
        num_hidden_layers=24,
        vocab_size=151936,
        intermediate_size=4864,
        num_attention_heads=14,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    ),
}


def model(name):
    """With random weights in f32 on the device. No token ends a sequence."""
    torch.manual_seed(0)
    family = "Qwen2" if name == "qwen" else "Llama"
    config = getattr(transformers, f"{family}Config")(
        **SHAPES[name], max_position_embeddings=512, bos_token_id=None, eos_token_id=None
    )
    with DEVICE:
        return getattr(transformers, f"{family}ForCausalLM")(config).float()


def number(name, default):
    return int(OPTIONS.get(name, default))


def words(*defaults):
    """The first arguments that are words, or defaults."""
    return (WORDS + list(defaults)[len(WORDS) :])[: len(defaults)]


def seconds(run):
    """Until the device is done as well."""
    wait = torch.cuda.synchronize if HAS_GPU else lambda: None
    wait()
    begun = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - begun


def ms(seconds):
    return f"{1e3 * seconds:.{0 if seconds > 0.1 else 1}f} ms"


def peak_mib():
    """The most memory of the GPU that tensors have taken, or that the process has had."""
    if HAS_GPU:
        return torch.cuda.max_memory_allocated() >> 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # KiB on Linux


if __name__ == "__main__":
    print(f"{torch.__version__} on device {torch.cuda.get_device_name() if HAS_GPU else 'cpu'}")
