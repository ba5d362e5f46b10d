"""Trains a tiny byte-level BPE, and writes the ids that Python's tokenizers gives, for tests/models/.

python -m pip install tokenizers==0.23.3 && python make_tokenizer.py GPT2_FOLDER

tokenizer/tokenizer.json, tokenizer_config.json   a vocabulary of 400 with the special tokens of the PRM families
tokenizer/ids.json        texts and their ids
tokenizer/gpt2_ids.json   the same of GPT-2's vocab.json and merges.txt in GPT2_FOLDER
tokenizer/steps.json      a solution as each family's reference code builds it: ids, and where scores are read
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

here = pathlib.Path(__file__).parent / "tokenizer"
SPECIAL = ["<|begin_of_text|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<extra_0>"]
SPECIAL += ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEXTS = [
    "",
    " ",
    "Step 1: 3 + 4 = 7",
    "It's 12,345.67 dollars; that isn't much.\n\nSo the answer is \\boxed{42}.\n",
    "  two  spaces\tand a tab\r\nи кириллица ки\n",
    "🙂 emoji, 数学, e\u0301 and a null \0.",
    "a <|im_end|> that is only text? <extra_0",
]
PROMPT = "Tom has 3 apples and buys 4. How many has he?"
STEPS = ["He starts with 3.", "Then 3 + 4 = 7.\nThat's all.", "So he has \\boxed{7}."]


def tiny():
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(QWEN2), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=392, initial_alphabet=alphabet, show_progress=False)
    corpus = [PROMPT, *STEPS, *TEXTS, " ки\n" * 20, "The answer is that the step is right. " * 5, " + - + -\n\n" * 9]
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return tokenizer


def gpt2(folder):
    folder = pathlib.Path(folder)
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def ids_of(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def separated(tokenizer, prompt_ids, separator):
    """As TRL's and Skywork's code: pieces are encoded apart, the last token of each separator is read."""
    ids, positions = prompt_ids, []
    for step in STEPS:
        ids = ids + ids_of(tokenizer, step) + ids_of(tokenizer, separator)
        positions.append(len(ids) - 1)
    return ids, positions


def marked(tokenizer, text, marker):
    """As Qwen's and Math-Shepherd's code: the whole text is encoded, and every marker in it is read."""
    ids = ids_of(tokenizer, text)
    return ids, [i for i, token in enumerate(ids) if token == marker]


def rlhflow(tokenizer):
    turn = "<|start_header_id|>{}<|end_header_id|>\n\n{}<|eot_id|>".format
    date = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
    text, positions = "<|begin_of_text|>" + turn("system", date), []
    for i, step in enumerate(STEPS):
        text += turn("user", step if i else f"{PROMPT} {step}") + turn("assistant", "+")
        positions.append(len(ids_of(tokenizer, text)) - 3)
    return ids_of(tokenizer, text), positions


def reason_eval(tokenizer, begin):
    ids = begin + ids_of(tokenizer, f"Question:\n{PROMPT}\nAnswer:\nLet's think step by step.\n")
    positions = []
    for step in STEPS:
        ids = ids + ids_of(tokenizer, step)
        positions.append(len(ids) - 1)
    return ids, positions


def steps(tokenizer):
    begin = [tokenizer.token_to_id("<|begin_of_text|>")]
    system = "Please reason step by step, and put your final answer within \\boxed{}."
    chat = f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
    shepherd = f"{PROMPT} " + "\n".join(f"{step} ки" for step in STEPS)
    [ki] = ids_of(tokenizer, " ки")
    ids, positions = marked(tokenizer, shepherd, ki)
    return {
        "trl": separated(tokenizer, begin + ids_of(tokenizer, PROMPT), "\n"),
        "qwen-prm": marked(tokenizer, chat + "".join(f"{step}<extra_0>" for step in STEPS),
                           tokenizer.token_to_id("<extra_0>")),
        "math-shepherd": (begin + ids, [position + 1 for position in positions]),
        "rlhflow": rlhflow(tokenizer),
        "skywork": separated(tokenizer, begin + ids_of(tokenizer, PROMPT + "\n"), "\n"),
        "reason-eval": reason_eval(tokenizer, begin),
    }


def write(name, value):
    (here / name).write_text(json.dumps(value, ensure_ascii=False) + "\n")


tokenizer = tiny()
tokenizer.save(str(here / "tokenizer.json"))
write("tokenizer_config.json", {"bos_token": "<|begin_of_text|>", "eos_token": {"content": "<|endoftext|>"}})
write("steps.json", {"prompt": PROMPT, "steps": STEPS,
                     "read_outs": {name: dict(zip(["ids", "positions"], it)) for name, it in steps(tokenizer).items()}})
for name, tokenizer in [("ids.json", tokenizer), ("gpt2_ids.json", gpt2(sys.argv[1]))]:
    tokenizer.encode_special_tokens = True
    write(name, [{"text": text, "ids": ids_of(tokenizer, text)} for text in TEXTS])
