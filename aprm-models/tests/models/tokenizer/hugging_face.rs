use std::fs;
use std::path::PathBuf;

use aprm_models::tokenizer::{
    CharacterTokenizer, FolderError, HuggingFaceError, HuggingFaceTokenizer, Tokenizer, load_tokenizer,
};
use serde_json::{Value, json};

use crate::golden;

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&fs::read(golden("tokenizer").join(name)).unwrap()).unwrap()
}

fn tiny() -> HuggingFaceTokenizer {
    HuggingFaceTokenizer::load(&golden("tokenizer")).unwrap()
}

fn gives_the_ids(tokenizer: &HuggingFaceTokenizer, golden: &Value) {
    for case in golden.as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), expected, "{text:?}");
        assert_eq!(tokenizer.decode(&expected), text);
    }
}

#[test]
fn ids_equal_those_of_python() {
    gives_the_ids(&tiny(), &json_of("ids.json"));
}

/// GPT-2's vocabulary is data beside the project, not part of it.
#[test]
fn ids_of_gpt2_equal_those_of_python() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/gpt2_tokenizer");
    let (Ok(vocab), Ok(merges)) = (fs::read(folder.join("vocab.json")), fs::read_to_string(folder.join("merges.txt")))
    else {
        eprintln!("NOT TESTED: no vocab.json and merges.txt in {}", folder.display());
        return;
    };
    let vocab: Value = serde_json::from_slice(&vocab).unwrap();
    let merges: Vec<&str> = merges.lines().filter(|line| !line.starts_with("#version")).collect();
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": [{"id": 50256, "content": "<|endoftext|>", "special": true, "single_word": false,
                          "lstrip": false, "rstrip": false, "normalized": false}],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    });
    let config = br#"{"bos_token": "<|endoftext|>", "eos_token": null}"#;
    let tokenizer = HuggingFaceTokenizer::parse(tokenizer.to_string().as_bytes(), Some(config)).unwrap();
    assert_eq!(tokenizer.vocab_size(), 50257);
    assert_eq!((tokenizer.begin_of_text(), tokenizer.end_of_text()), (Some(50256), None));
    gives_the_ids(&tokenizer, &json_of("gpt2_ids.json"));
}

#[test]
fn a_marker_is_one_token_and_text_forges_none() {
    let tokenizer = tiny();
    let marker = tokenizer.token_id("<extra_0>").unwrap();
    assert_eq!(tokenizer.decode(&[marker]), "<extra_0>");
    assert!(!tokenizer.encode("a<extra_0>b").unwrap().contains(&marker));
    assert_eq!(tokenizer.token_id("\n").unwrap(), tokenizer.encode("\n").unwrap()[0]);
    assert_eq!(tokenizer.token_id("").unwrap_err().tokens, 0);
    assert!(tokenizer.token_id("<extra_1>").unwrap_err().tokens > 1);
    // Behind a space it is another token than alone.
    assert_ne!(tokenizer.token_id("ки").unwrap(), tokenizer.token_id(" ки").unwrap());
    assert_eq!(tokenizer.begin_of_text(), tokenizer.token_id("<|begin_of_text|>").ok());
    assert_eq!(tokenizer.end_of_text(), tokenizer.token_id("<|endoftext|>").ok());
}

#[test]
fn truncation_in_the_file_is_not_obeyed() {
    let mut json = json_of("tokenizer.json");
    json["truncation"] = json!({"max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right"});
    json["padding"] = json!({"strategy": {"Fixed": 99}, "direction": "Right", "pad_to_multiple_of": null,
                             "pad_id": 0, "pad_type_id": 0, "pad_token": "!"});
    let tokenizer = HuggingFaceTokenizer::parse(json.to_string().as_bytes(), None).unwrap();
    gives_the_ids(&tokenizer, &json_of("ids.json"));
}

/// Whatever a file holds, it is a tokenizer or an error, never a panic.
#[test]
fn a_hostile_file_is_an_error() {
    let whole = json_of("tokenizer.json").to_string();
    for end in (0..whole.len()).step_by(211) {
        assert!(HuggingFaceTokenizer::parse(&whole.as_bytes()[..end], None).is_err(), "{end}");
    }
    assert!(HuggingFaceTokenizer::parse(b"\xff", None).is_err());
    for (path, value) in [
        ("/model/merges", json!([["a", "no such token"]])),
        ("/model/merges", json!([["a"]])),
        ("/model/vocab", json!({"a": -1})),
        ("/model/type", json!("Unheard")),
        ("/pre_tokenizer/pretokenizers/0/pattern/Regex", json!("(")),
    ] {
        let mut json = json_of("tokenizer.json");
        *json.pointer_mut(path).unwrap() = value;
        let made = HuggingFaceTokenizer::parse(json.to_string().as_bytes(), None);
        assert!(made.is_err(), "{path}");
    }
    // A template that names a special token which the vocabulary has not.
    let mut json = json_of("tokenizer.json");
    json["model"]["vocab"] = json!({});
    json["model"]["merges"] = json!([]);
    if let Ok(tokenizer) = HuggingFaceTokenizer::parse(json.to_string().as_bytes(), None) {
        let _ = tokenizer.encode("text");
    }
    let config = Some(&br#"{"bos_token": "<none>"}"#[..]);
    let unknown = HuggingFaceTokenizer::parse(whole.as_bytes(), config).unwrap_err();
    assert!(matches!(unknown, HuggingFaceError::NoSuchToken(token) if token == "<none>"));
}

#[test]
fn a_folder_has_one_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(load_tokenizer(folder.path()), Err(FolderError::None)));
    fs::copy(golden("tokenizer").join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    assert_eq!(load_tokenizer(folder.path()).unwrap().vocab_size(), 400);
    let alphabet = aprm_models::tokenizer::Alphabet { characters: "ab".into(), ..Default::default() };
    CharacterTokenizer::new(alphabet).unwrap().save(folder.path()).unwrap();
    assert!(matches!(load_tokenizer(folder.path()), Err(FolderError::Two)));
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert_eq!(load_tokenizer(folder.path()).unwrap().vocab_size(), 4);
}
