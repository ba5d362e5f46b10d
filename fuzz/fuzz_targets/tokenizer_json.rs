//! Any bytes as a `tokenizer.json` or `characters.json`: an error, or a tokenizer whose ids are of its vocabulary.
#![no_main]

use std::panic::set_hook;

use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, HuggingFaceTokenizer, Tokenizer};
use libfuzzer_sys::fuzz_target;

const TEXT: &str = "Step 1: 3 + 4 = 7.\n\nЭто ки\t🙂 <|im_end|>\0";

fuzz_target!(
    init: {
        // The fuzzer's hook ends the process before the guard under test can catch what the library throws.
        // What is not caught still ends it.
        set_hook(Box::new(|_| {}));
    },
    |data: &[u8]| {
        if let Ok(tokenizer) = HuggingFaceTokenizer::parse(data, None) {
            check(&tokenizer);
        }
        let Ok(alphabet) = serde_json::from_slice::<Alphabet>(data) else { return };
        let Ok(tokenizer) = CharacterTokenizer::new(alphabet) else { return };
        check(&tokenizer);
        let characters = tokenizer.alphabet().characters.clone();
        let ids = tokenizer.encode(&characters).expect("its own characters");
        assert_eq!(tokenizer.decode(&ids), characters);
    }
);

fn check(tokenizer: &dyn Tokenizer) {
    if let Ok(ids) = tokenizer.encode(TEXT) {
        assert!(ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()), "{ids:?}");
        let _ = tokenizer.decode(&ids);
    }
    let _ = tokenizer.decode(&[0, 1, u32::MAX]);
    for token in ["\n", "<extra_0>", "<step>", ""] {
        if let Ok(id) = tokenizer.token_id(token) {
            assert!((id as usize) < tokenizer.vocab_size());
        }
    }
}
