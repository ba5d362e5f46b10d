use std::fs;

use aprm_models::checkpoint::LoadError;
use aprm_models::tokenizer::{
    Alphabet, AlphabetError, CharacterTokenizer, END_OF_TEXT, EncodeError, NotOneToken, STEP_END, Tokenizer,
};

fn alphabet(characters: &str) -> Alphabet {
    Alphabet { characters: characters.into(), ..Alphabet::default() }
}

fn arithmetic() -> CharacterTokenizer {
    let special_tokens = vec!["<think>".into(), "?".into()];
    CharacterTokenizer::new(Alphabet { special_tokens, ..alphabet("0123456789+-=\n <>step") }).unwrap()
}

#[test]
fn ids_are_the_order_of_the_characters() {
    let tokenizer = arithmetic();
    assert_eq!(tokenizer.vocab_size(), 21 + 2 + 2);
    assert_eq!(tokenizer.encode("12 + 3\n").unwrap(), [1, 2, 14, 10, 14, 3, 13]);
    assert_eq!(tokenizer.encode("").unwrap().len(), 0);
    let ids = [END_OF_TEXT, STEP_END, "<think>", "?", "9"].map(|token| tokenizer.token_id(token).unwrap());
    assert_eq!(ids, [21, 22, 23, 24, 9]);
    assert_eq!((tokenizer.begin_of_text(), tokenizer.end_of_text()), (None, Some(21)));
}

#[test]
fn every_character_comes_back() {
    let characters: String = ('\n'..='\n').chain(' '..='~').rev().collect();
    let tokenizer = CharacterTokenizer::new(alphabet(&characters)).unwrap();
    let ids = tokenizer.encode(&characters).unwrap();
    assert!(ids.iter().copied().eq(0..96));
    assert_eq!(tokenizer.decode(&ids), characters);
    assert_eq!(tokenizer.decode(&[96, 97, 98, u32::MAX]), "<end><step>\u{fffd}\u{fffd}");
}

#[test]
fn text_forges_no_special_token() {
    let tokenizer = arithmetic();
    let step_end = tokenizer.token_id(STEP_END).unwrap();
    let ids = tokenizer.encode("1<step>2").unwrap();
    assert_eq!(ids.len(), 8);
    assert!(!ids.contains(&step_end));
}

#[test]
fn an_unknown_character_is_named_or_mapped() {
    let refused = arithmetic().encode("1 + ü2é").unwrap_err();
    assert_eq!(refused, EncodeError::Character { character: 'ü', offset: 4 });
    let mapping = Alphabet { maps_unknown: true, ..alphabet("12") };
    let tokenizer = CharacterTokenizer::new(mapping).unwrap();
    assert_eq!(tokenizer.encode("1ü2").unwrap(), [0, 4, 1]);
    assert_eq!(tokenizer.token_id("<unk>"), Ok(4));
    assert_eq!(tokenizer.decode(&[4]), "<unk>");
}

#[test]
fn a_marker_is_one_token() {
    let tokenizer = arithmetic();
    for (token, tokens) in [("", 0), ("12", 2), ("é", 0), ("<more>", 0)] {
        assert_eq!(tokenizer.token_id(token), Err(NotOneToken { token: token.into(), tokens }));
    }
    // An unknown character is no marker, even where it has an id.
    let mapping = CharacterTokenizer::new(Alphabet { maps_unknown: true, ..alphabet("12") }).unwrap();
    assert!(mapping.token_id("é").is_err());
}

#[test]
fn a_bad_alphabet_is_refused() {
    let of = |characters: &str| CharacterTokenizer::new(alphabet(characters)).unwrap_err();
    assert!(matches!(of(""), AlphabetError::Empty));
    assert!(matches!(of("121"), AlphabetError::Duplicate(twice) if twice == "1"));
    for character in ['é', '\t', '\u{7f}', '\0'] {
        assert!(matches!(of(&format!("1{character}")), AlphabetError::Character(named) if named == character));
    }
    let with = |special: &str| Alphabet { special_tokens: vec![special.into()], ..alphabet("12") };
    for twice in ["1", END_OF_TEXT, STEP_END] {
        assert!(matches!(CharacterTokenizer::new(with(twice)), Err(AlphabetError::Duplicate(named)) if named == twice));
    }
    assert!(matches!(CharacterTokenizer::new(with("")), Err(AlphabetError::EmptySpecialToken)));
}

#[test]
fn what_is_saved_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = arithmetic();
    tokenizer.save(folder.path()).unwrap();
    assert_eq!(CharacterTokenizer::load(folder.path()).unwrap(), tokenizer);
    let path = folder.path().join("characters.json");
    let json = fs::read_to_string(&path).unwrap();
    for end in 0..json.trim_end().len() {
        fs::write(&path, &json[..end]).unwrap();
        assert!(matches!(CharacterTokenizer::load(folder.path()), Err(AlphabetError::Json(_))), "{end}");
    }
    fs::write(&path, json.replacen('{', "{\"more\": 1,", 1)).unwrap();
    assert!(CharacterTokenizer::load(folder.path()).unwrap_err().to_string().contains("unknown field `more`"));
    fs::remove_file(&path).unwrap();
    let missing = CharacterTokenizer::load(folder.path()).unwrap_err();
    assert!(matches!(missing, AlphabetError::File(LoadError::Io { file, .. }) if file == "characters.json"));
}
