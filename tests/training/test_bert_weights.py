"""A BERT written from its definition (arXiv 1810.04805): the text tower gives its numbers, or says what differs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as Library
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

from vlpbench.backbones import DualEncoder, EncoderDecoder
from vlpbench.backbones.dual_encoder import DualConfig
from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig
from vlpbench.config.settings import Init
from vlpbench.errors import UserError
from vlpbench.training.bert_weights import fit_text
from vlpbench.training.initial import initial_tokenizer, start_from

D, HEADS, LAYERS, PLACES, WORDS = 96, 4, 2, 12, 60
CONFIG = {"model_type": "bert", "hidden_size": D, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
          "intermediate_size": 4 * D, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "vocab_size": WORDS,
          "max_position_embeddings": PLACES, "type_vocab_size": 2, "position_embedding_type": "absolute"}


def drawn_bert(words=WORDS):
    """Random weights under BERT's names, norms and biases stirred too."""
    rng = torch.Generator().manual_seed(11)
    shapes = {"embeddings.word_embeddings.weight": (words, D), "embeddings.position_embeddings.weight": (PLACES, D),
              "embeddings.token_type_embeddings.weight": (2, D)}
    norms = ["embeddings.LayerNorm"]
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}."
        square = [f"attention.self.{part}" for part in ("query", "key", "value")] + ["attention.output.dense"]
        linears = dict.fromkeys(square, (D, D)) | {"intermediate.dense": (4 * D, D), "output.dense": (D, 4 * D)}
        for name, shape in linears.items():
            shapes |= {f"{layer}{name}.weight": shape, f"{layer}{name}.bias": shape[:1]}
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
    weights = {name: 0.2 * torch.randn(shape, generator=rng) for name, shape in shapes.items()}
    for norm in norms:
        weights[f"{norm}.weight"] = 1 + 0.3 * torch.randn(D, generator=rng)
        weights[f"{norm}.bias"] = 0.3 * torch.randn(D, generator=rng)
    extra = {"pooler.dense.weight": torch.zeros(D, D), "pooler.dense.bias": torch.zeros(D),
             "embeddings.position_ids": torch.arange(PLACES)[None]}
    return weights | extra


def bert(w, ids, present):
    """The paper's encoder on one row after another, in double precision."""
    w = {name: value.double() for name, value in w.items()}

    def norm(x, name):
        apart = x - x.mean(-1, keepdim=True)
        scaled = apart / (apart.pow(2).mean(-1, keepdim=True) + 1e-12).sqrt()
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def line(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    rows = []
    for row, there in zip(ids, present, strict=True):
        x = torch.stack([w["embeddings.word_embeddings.weight"][i] + w["embeddings.position_embeddings.weight"][t]
                         + w["embeddings.token_type_embeddings.weight"][0] for t, i in enumerate(row.tolist())])
        x = norm(x, "embeddings.LayerNorm")
        for n in range(LAYERS):
            layer = f"encoder.layer.{n}."
            q, k, v = (line(x, f"{layer}attention.self.{part}") for part in ("query", "key", "value"))
            heads = []
            for part in torch.arange(D).chunk(HEADS):
                logits = q[:, part] @ k[:, part].T / math.sqrt(D // HEADS)
                logits[:, ~there] = -math.inf
                heads.append(logits.softmax(-1) @ v[:, part])
            said = line(torch.cat(heads, -1), f"{layer}attention.output.dense")
            x = norm(x + said, f"{layer}attention.output.LayerNorm")
            inner = line(x, f"{layer}intermediate.dense")
            inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
            x = norm(x + line(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")
        rows.append(x)
    return torch.stack(rows).float()


@pytest.fixture
def folder(tmp_path):
    def make(weights=None, **config):
        save_file(drawn_bert() if weights is None else weights, tmp_path / "model.safetensors")
        said = {key: value for key, value in (CONFIG | config).items() if value is not None}
        (tmp_path / "config.json").write_text(json.dumps(said))
        return tmp_path

    return make


@pytest.fixture
def tower(blueprint):
    def make(abilities=frozenset({"text_tokens"}), **changes):
        plan = replace(blueprint, trunk=DualEncoder, config=DualConfig("post"), length=8)
        return replace(plan, **changes).build(abilities).eval()

    return make


def old_names(name):
    """As the first releases wrote them."""
    return "bert." + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


@pytest.mark.parametrize("rename", [str, "bert.{}".format, old_names], ids=["plain", "prefix", "old"])
def test_it_computes_what_bert_does_padding_included(folder, tower, rename):
    weights = drawn_bert()
    held = {rename(name): value for name, value in weights.items()}
    held["cls.predictions.bias"] = torch.zeros(WORDS)
    backbone = tower()
    fitted = fit_text(backbone, folder(held))
    missing, surplus = backbone.load_state_dict(fitted.weights, strict=False)
    assert not surplus
    assert not any(name.startswith(("text_tower", "words")) for name in missing)
    ids = torch.randint(0, WORDS, (3, 8), generator=torch.Generator().manual_seed(4))
    present = torch.arange(8) < torch.tensor([[8], [5], [1]])
    with torch.no_grad():
        mine = backbone.text_tokens(backbone.read(ids, present))
    expected = bert(weights, ids, present)
    assert torch.allclose(mine, expected, atol=1e-5), (mine - expected).abs().max()
    assert expected.std() > 0.5
    assert fitted.unused == ("cls.predictions.bias", "embeddings.position_ids", "pooler.dense.bias",
                             "pooler.dense.weight")
    assert fitted.resized == ("text_tower.positions.weight 12 -> 8",)


def test_more_places_than_bert_has_are_stretched(folder, tower):
    weights = drawn_bert()
    fitted = fit_text(tower(length=20), folder())
    table = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    expected = torch.nn.functional.interpolate(table.T[None], size=20, mode="linear")[0].T
    assert torch.allclose(fitted.weights["text_tower.positions.weight"], expected, atol=1e-6)
    assert fit_text(tower(length=12), folder()).resized == ()


def test_half_precision_files_and_spare_rows_of_words(folder, tower):
    more = {name: value.half() if value.is_floating_point() else value for name, value in drawn_bert(64).items()}
    fitted = fit_text(tower(), folder(more))
    assert torch.equal(fitted.weights["words.weight"], more["embeddings.word_embeddings.weight"][:WORDS].float())
    with pytest.raises(UserError, match="the word table has 50 rows, and the tokenizer 60 ids"):
        fit_text(tower(), folder(drawn_bert(50)))


def test_a_tower_that_nobody_asked_for_leaves_the_words(folder, tower):
    fitted = fit_text(tower({"image_tokens"}), folder())
    assert fitted.weights.keys() == {"words.weight"}


@pytest.mark.parametrize(("config", "said"), [
    ({"model_type": "roberta"}, "model_type 'roberta'; it counts positions from 2"),
    ({"model_type": "xlm-roberta"}, "counts positions from 2"),
    ({"model_type": "distilbert"}, "model_type 'distilbert'$"),
    ({"model_type": None}, "model_type None"),
    ({"hidden_act": "relu"}, "hidden_act is 'relu', and the text tower computes 'gelu'"),
    ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05"),
    ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
    ({"intermediate_size": 100}, "intermediate_size is 100, and the text tower computes 384"),
    ({"hidden_size": None}, "cannot read the configuration .*hidden_size"),
])
def test_other_encoders_are_refused(folder, tower, config, said):
    with pytest.raises(UserError) as caught:
        fit_text(tower(), folder(**config))
    assert caught.match(said.replace("'$", r"'\n"))
    assert "bert" in caught.value.remedy


@pytest.mark.parametrize(("config", "said", "remedy"), [
    ({"hidden_size": 768, "intermediate_size": 3072}, "hidden_size is 768, here 96$", "768 wide and has 4 heads"),
    ({"num_attention_heads": 12}, "num_attention_heads is 12, here 4$", "96 wide and has 12 heads"),
    ({"num_hidden_layers": 3, "num_attention_heads": 8},
     "num_attention_heads is 8, here 4; num_hidden_layers is 3, here 2$", "8 heads and 3 layers"),
])
def test_another_size_says_what_differs_and_what_to_set(folder, tower, config, said, remedy):
    with pytest.raises(UserError) as caught:
        fit_text(tower(), folder(**config))
    assert caught.value.cause.endswith(said.rstrip("$"))
    assert remedy in caught.value.remedy


def test_the_tower_of_a_fusing_trunk_takes_it_too(folder, blueprint):
    size = replace(blueprint.size, decoder=LAYERS + 1)
    plan = replace(blueprint, trunk=DualFusion, config=DualFusionConfig(fusion=1, text_norm="post"), size=size)
    backbone = plan.build({"text_tokens", "fused_tokens"}).eval()
    backbone.load_state_dict(fit_text(backbone, folder()).weights, strict=False)
    ids, present = torch.arange(12).view(2, 6), torch.ones(2, 6, dtype=torch.bool)
    with torch.no_grad():
        assert torch.allclose(backbone.text_tokens(backbone.read(ids, present)), bert(drawn_bert(), ids, present),
                              atol=1e-5)
    few = replace(plan, config=DualFusionConfig(fusion=2, text_norm="post")).build({"text_tokens"})
    with pytest.raises(UserError, match="num_hidden_layers is 2, here 1"):
        fit_text(few, folder())


def test_trunks_that_cannot_take_it(folder, tower, blueprint):
    with pytest.raises(UserError, match="the text tower is pre-norm") as caught:
        fit_text(tower(config=None), folder())
    assert '[trunk.dual] text_norm = "post"' in caught.value.remedy
    with pytest.raises(UserError, match="'encoder-decoder' has no text tower") as caught:
        fit_text(replace(blueprint, trunk=EncoderDecoder).build({"context"}), folder())
    assert "dual" in caught.value.remedy


def test_damaged_folders(folder, tower, tmp_path):
    good = drawn_bert()
    key = "encoder.layer.1.attention.self.query.weight"
    for weights, said in (
        ({name: value for name, value in good.items() if name != key}, f"has no '{key}'"),
        (good | {"encoder.layer.2.output.dense.bias": torch.zeros(D)}, "weights that BERT has not: encoder.layer.2"),
        (good | {key: torch.zeros(D, D + 1)}, "not have the shapes .* 96 x 97 in the file, 96 x 96 here"),
    ):
        with pytest.raises(UserError, match=said):
            fit_text(tower(), folder(weights))
    (folder() / "config.json").write_text("{")
    with pytest.raises(UserError, match="cannot read the configuration"):
        fit_text(tower(), tmp_path)
    (folder() / "model.safetensors").unlink()
    with pytest.raises(UserError, match="there is no file of weights"):
        fit_text(tower(), tmp_path)


def test_dropping_the_key_bias_is_exact_and_not_for_want_of_one(folder, tower):
    """The file's key biases are not zero; the law of the softmax, not luck, lets them go."""
    held = load_file(folder() / "model.safetensors")
    assert held["encoder.layer.0.attention.self.key.bias"].abs().max() > 0.1
    louder = {name: value * 50 if name.endswith("key.bias") else value for name, value in held.items()}
    ids, present = torch.arange(16).view(2, 8), torch.ones(2, 8, dtype=torch.bool)
    assert torch.allclose(bert(held, ids, present), bert(louder, ids, present), atol=1e-5)
    plain, other = fit_text(tower(), folder(held)), fit_text(tower(), folder(louder))
    assert all(torch.equal(value, other.weights[name]) for name, value in plain.weights.items())


def test_init_loads_the_tower_and_its_tokenizer(folder, blueprint):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = {piece: number for number, piece in enumerate([*special, *(f"w{n}" for n in range(WORDS - 5))])}
    made = Library(WordPiece(pieces, unk_token="[UNK]"))
    made.pre_tokenizer = BertPreTokenizer()
    made.save(str(folder() / "tokenizer.json"))
    init = Init(text=str(folder()))
    tokenizer = initial_tokenizer(init)
    assert tokenizer is not None
    plan = replace(blueprint, trunk=DualEncoder, config=DualConfig("post"), vocabulary=tokenizer.vocabulary, length=8)
    backbone = plan.build({"text_tokens"}).eval()
    started = start_from(backbone, init, tokenizer.digest)
    tokens, mask = tokenizer.encode(["w3 w9 [SEP] w0", "w1"], 8)
    ids, present = torch.from_numpy(tokens), torch.from_numpy(mask)
    with torch.no_grad():
        mine = backbone.text_tokens(backbone.read(ids, present))
    assert torch.allclose(mine, bert(drawn_bert(), ids, present), atol=1e-5)
    assert started.told()["unused"] == {"text": ["embeddings", "pooler"]}
    assert started.told()["drawn"] == ["stem"]
