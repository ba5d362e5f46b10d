"""Reward models that are not part of transformers: a backbone and a head, with the tensor names of the published ones."""

import json
import pathlib
import types

import torch
import transformers
from safetensors.torch import load_file, save_file


class Headed(torch.nn.Module):
    """A backbone named `model`, a head, and in Qwen's an `lm_head` that nothing reads."""

    def __init__(self, config, architecture, fields, has_lm_head):
        super().__init__()
        hidden = config.hidden_size
        self.config, self.architecture, self.fields = config, architecture, fields
        self.model = transformers.AutoModel.from_config(config)
        linear = torch.nn.Linear
        if architecture == "Qwen2ForProcessRewardModel":
            self.score = torch.nn.Sequential(linear(hidden, hidden), torch.nn.ReLU(), linear(hidden, 2))
        elif architecture == "Qwen2ForPrmModel":
            self.v_head = torch.nn.ModuleDict({"summary": linear(hidden, 1)})
        else:
            self.score_head = linear(hidden, fields["score_dimension"], bias=fields["use_bias"])
        if has_lm_head:
            self.lm_head = linear(hidden, config.vocab_size, bias=False)

    def forward(self, ids):
        hidden = self.model(ids).last_hidden_state
        head = getattr(self, "score", None) or getattr(self, "score_head", None) or self.v_head["summary"]
        return types.SimpleNamespace(logits=head(hidden))

    def save_pretrained(self, folder):
        folder.mkdir(exist_ok=True)
        config = json.loads(self.config.to_json_string()) | self.fields
        config["architectures"] = [self.architecture]
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        save_file(self.state_dict(), folder / "model.safetensors", {"format": "pt"})


class Kind:
    """How models of one architecture are made: with random weights, or from a folder."""

    def __init__(self, config_class, architecture, fields=None, has_lm_head=False, **shape):
        self.config_class, self.architecture, self.shape = config_class, architecture, shape
        self.fields, self.has_lm_head = fields or {}, has_lm_head

    def random(self, shape):
        return Headed(self.config_class(**shape, **self.shape), self.architecture, self.fields, self.has_lm_head)

    def load(self, folder):
        config = self.config_class.from_pretrained(folder)
        config._attn_implementation = "eager"
        assert json.loads((pathlib.Path(folder) / "config.json").read_text())["architectures"] == [self.architecture]
        model = Headed(config, self.architecture, self.fields, False)
        model.load_state_dict(load_file(pathlib.Path(folder) / "model.safetensors"))
        return model.eval()


HEADED = {
    "qwen2_prm": Kind(
        transformers.Qwen2Config, "Qwen2ForProcessRewardModel", has_lm_head=True, num_key_value_heads=2
    ),
    "skywork": Kind(transformers.Qwen2Config, "Qwen2ForPrmModel", has_lm_head=True, num_key_value_heads=1),
    "reason_eval": Kind(
        transformers.MistralConfig,
        "ReasonEval_7B",
        {"score_dimension": 3, "use_bias": True},
        num_key_value_heads=2,
        sliding_window=None,
    ),
}
