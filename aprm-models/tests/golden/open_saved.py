"""Opens in transformers what aprm saves, every family and every head, and compares logits.

python -m pip install torch==2.15.0 transformers==5.23.0 safetensors && python open_saved.py

It asks cargo for the folders, so it runs wherever the tests do.
"""

import os
import pathlib
import subprocess
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import transformers
from heads import HEADED
from safetensors.torch import load_file

here = pathlib.Path(__file__).parent


def open_folder(name, folder):
    if name in HEADED:
        return HEADED[name].load(folder)
    auto = transformers.AutoModelForCausalLM
    if name.endswith("token_classifier"):
        auto = transformers.AutoModelForTokenClassification
    model, report = auto.from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
    assert not any(report.values()), f"{name}: {report}"
    return model.eval()


with tempfile.TemporaryDirectory() as saved:
    subprocess.run(
        ["cargo", "test", "-q", "-p", "aprm-models", "--test", "models", "--", "--ignored", "save_for_transformers"],
        env=os.environ | {"APRM_SAVED": saved},
        cwd=here,
        check=True,
    )
    folders = sorted(pathlib.Path(saved).iterdir())
    assert folders, "nothing was saved"
    for folder in folders:
        golden = load_file(here / folder.name / "golden.safetensors")
        with torch.no_grad():
            logits = open_folder(folder.name, folder)(golden["ids"].long()[None]).logits[0]
        difference = (logits - golden["logits"]).abs().max().item()
        assert difference <= 1e-5 * golden["logits"].abs().max().item(), f"{folder.name}: {difference}"
        print(f"{folder.name}: opens, logits differ by {difference:.1e}")
