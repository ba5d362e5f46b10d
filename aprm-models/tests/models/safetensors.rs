//! The safetensors reader: hostile files by hand, every small corruption, and the reference reader beside it.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use aprm_models::safetensors::{Header, Options, Precision, ReadError, SafeTensors, Tensor, WriteError, write};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use super::{FAMILIES, golden};

fn file(header: impl AsRef<[u8]>, data: &[u8]) -> Vec<u8> {
    let header = header.as_ref();
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

fn read(file: &[u8]) -> Result<SafeTensors<Cursor<&[u8]>>, ReadError> {
    SafeTensors::new(Cursor::new(file), Options::default())
}

fn refusal(header: &str, data_len: usize) -> ReadError {
    read(&file(header, &vec![0; data_len])).map(|read| read.header().clone()).expect_err(header)
}

fn written(precision: Precision) -> Vec<u8> {
    let tensors = [
        Tensor { name: "b.weight", shape: &[2, 3], entries: &[0.0, -1.5, 3.25, 1e-3, -0.0, 7.0] },
        Tensor { name: "a", shape: &[], entries: &[0.1] },
        Tensor { name: "none", shape: &[4, 0], entries: &[] },
    ];
    let mut file = Vec::new();
    write(&mut file, precision, &tensors).unwrap();
    file
}

#[test]
fn lengths_are_not_believed() {
    for len in 0..8 {
        assert!(matches!(read(&vec![0; len]), Err(ReadError::Truncated { end: 8, .. })), "{len} bytes");
    }
    assert!(matches!(read(&[0; 8]), Err(ReadError::HeaderFrame)));
    let claims = |len: u64| read(&len.to_le_bytes()).map(|_| ()).unwrap_err();
    let limit = Options::default().header_limit;
    assert!(matches!(claims(2), ReadError::Truncated { end: 10, file_len: 8 }));
    assert!(matches!(claims(limit), ReadError::Truncated { .. }));
    assert!(matches!(claims(limit + 1), ReadError::HeaderTooLong { .. }));
    assert!(matches!(claims(u64::MAX), ReadError::HeaderTooLong { .. }));
    let any = Options { header_limit: u64::MAX, ..Options::default() };
    let file = 100_000_001_u64.to_le_bytes();
    assert!(matches!(
        SafeTensors::new(Cursor::new(file), any),
        Err(ReadError::HeaderTooLong { limit: 100_000_000, .. })
    ));
    assert_eq!(*read(&file_of_nothing()).unwrap().header(), Header::default());
}

fn file_of_nothing() -> Vec<u8> {
    file("{}", &[])
}

#[test]
fn what_stands_twice_or_is_not_known_is_named() {
    let a = r#""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#;
    // The second spells the same name with an escape.
    for twice in [format!("{{{a},{a}}}"), format!("{{{a},{}}}", a.replacen('a', r"\u0061", 1))] {
        assert!(matches!(refusal(&twice, 4), ReadError::Duplicate(name) if name == "a"));
    }
    let metadata = r#""__metadata__":{"k":"1"}"#;
    assert!(
        matches!(refusal(&format!("{{{metadata},{metadata}}}"), 0), ReadError::Duplicate(key) if key == "__metadata__")
    );
    assert!(matches!(refusal(r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0), ReadError::Duplicate(key) if key == "k"));
    for (entry, complaint) in [
        (r#"{"dtype":"U8","shape":[4],"data_offsets":[0,4],"strides":[1]}"#, "unknown field `strides`"),
        (r#"{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}"#, "duplicate field `dtype`"),
        (r#"{"dtype":"U8","shape":[4]}"#, "missing field `data_offsets`"),
        (r#"{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}"#, "F8_E4M3"),
        (r#"{"dtype":{"U8":null},"shape":[4],"data_offsets":[0,4]}"#, "invalid type: map"),
        (r#"{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}"#, "trailing"),
        (r#"{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,4]}"#, "more than 8 axes"),
        (r#"["U8",[4],[0,4]]"#, "expected an object"),
        ("null", "expected an object"),
    ] {
        let error = refusal(&format!(r#"{{"w":{entry}}}"#), 4);
        assert!(matches!(&error, ReadError::Entry { tensor, .. } if tensor == "w"), "{error}");
        assert!(error.to_string().contains(complaint), "{error}");
    }
    for metadata in [r#"{"k":1}"#, r#"{"k":null}"#, "[]", "null"] {
        let error = refusal(&format!(r#"{{"__metadata__":{metadata}}}"#), 0);
        assert!(matches!(&error, ReadError::Entry { tensor, .. } if tensor == "__metadata__"), "{error}");
    }
}

/// Two tensors of bytes, in either order.
fn two(first: &str, second: &str) -> [String; 2] {
    let entry = |name: &str, range: &str| {
        let len = range.split(',').map(|end| end.parse().unwrap_or(0_i64)).reduce(|begin, end| end - begin).unwrap();
        format!(r#""{name}":{{"dtype":"U8","shape":[{len}],"data_offsets":[{range}]}}"#)
    };
    [[("a", first), ("b", second)], [("b", second), ("a", first)]]
        .map(|tensors| format!("{{{}}}", tensors.map(|(name, range)| entry(name, range)).join(",")))
}

#[test]
fn tensors_tile_the_data() {
    for header in
        two("0,4", "4,8").into_iter().chain(two("4,8", "0,4")).chain(two("0,8", "8,8")).chain(two("0,0", "0,8"))
    {
        read(&file(&header, &[0; 8])).unwrap();
    }
    for header in
        [two("0,4", "5,8"), two("0,4", "3,8"), two("0,8", "0,8"), two("0,8", "4,4"), two("1,4", "4,8")].concat()
    {
        assert!(matches!(refusal(&header, 8), ReadError::Tiling { .. }), "{header}");
    }
    for header in [two("0,4", "4,7"), two("0,4", "4,9"), two("0,0", "0,0")].concat() {
        assert!(matches!(refusal(&header, 8), ReadError::DataLength { present: 8, .. }), "{header}");
    }
    let of = |offsets: &str| format!(r#"{{"w":{{"dtype":"U8","shape":[4],"data_offsets":{offsets}}}}}"#);
    for offsets in ["[4,0]", "[0,3]", "[0,18446744073709551615]"] {
        assert!(matches!(refusal(&of(offsets), 4), ReadError::Length { bytes: 4, .. }), "{offsets}");
    }
    for offsets in ["[-4,0]", "[0.0,4.0]", "[0,4e0]", "[0,18446744073709551616]", "[0]", r#"["0","4"]"#, "4", "null"] {
        assert!(matches!(refusal(&of(offsets), 4), ReadError::Entry { .. }), "{offsets}");
    }
}

#[test]
fn products_of_shapes_do_not_overflow() {
    let of =
        |dtype: &str, shape: &str| format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,0]}}}}"#);
    let max = u64::MAX;
    for (dtype, shape) in [
        ("U8", format!("[2,{}]", max - 1)),
        ("F32", format!("[{}]", 1_u64 << 62)),
        ("U8", format!("[0,{max},{max}]")),
        ("U8", format!("[{max},{max},0]")),
        ("F64", format!("[{max},0]")),
        // Two bytes of each entry would fit, but not the four as which they would be written again.
        ("F16", "[0,9,9629,72,964294967296]".into()),
    ] {
        assert!(
            matches!(refusal(&of(dtype, &shape), 0), ReadError::Overflow { tensor, .. } if tensor == "w"),
            "{shape}"
        );
    }
    for shape in [format!("[0,{}]", max / 8), format!("[{},0]", max / 8)] {
        read(&file(of("U8", &shape), &[])).unwrap();
    }
}

/// Offsets that add up to more than 2⁶⁴ bits: the reference reader overflows on this one.
fn chained() -> Vec<u8> {
    let len = (1_u64 << 61) - 1;
    let mut ends: Vec<u64> = (0..=8).map(|i| i * len).collect();
    ends.push(u64::MAX);
    let entry = |(i, ends): (usize, &[u64])| {
        let [begin, end] = ends else { unreachable!() };
        format!(r#""t{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{begin},{end}]}}"#, end - begin)
    };
    let entries: Vec<_> = ends.windows(2).enumerate().map(entry).collect();
    file(format!("{{{}}}", entries.join(",")), &[])
}

#[test]
fn a_chain_to_the_end_of_u64_is_refused() {
    assert!(matches!(read(&chained()), Err(ReadError::DataLength { described: u64::MAX, present: 0 })));
}

#[test]
fn nothing_hides_in_a_file() {
    let mut valid = written(Precision::F32);
    valid.extend(b"PK\x05\x06");
    assert!(matches!(read(&valid), Err(ReadError::DataLength { .. })));
    for header in ["{}\0", "{}\n", " {}", "\n{}", "{} PK", "{}{}", "{},", "", "  ", "[]", "{", "{\"a\":1", "{}/**/"] {
        let error = refusal(header, 0);
        assert!(matches!(error, ReadError::HeaderFrame | ReadError::Header(_)), "{header:?}: {error}");
    }
    read(&file("{}      ", &[])).unwrap();
    assert!(matches!(read(&file(b"{\"\xff\":1}", &[])), Err(ReadError::Header(_))));
}

#[test]
fn names_are_plain() {
    let long = "n".repeat(257);
    let huge = "n".repeat(10_000);
    for name in ["", "../x", "a/../b", "a b", "é", r"\u0000", r"a\\b", "C:", &long, &huge] {
        let header = format!(r#"{{"{name}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}}"#);
        let error = refusal(&header, 0);
        assert!(matches!(error, ReadError::Name(_)) && error.to_string().len() < 400, "{name}: {error}");
    }
    assert!(matches!(refusal(r#"{"\ud800":{}}"#, 0), ReadError::Header(_)));
    let header = format!(r#"{{"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}}"#, "n".repeat(256));
    read(&file(header, &[])).unwrap();
}

#[test]
fn other_formats_are_named() {
    for (magic, name) in [
        (&b"PK\x03\x04\x14\x00\x00\x00"[..], "zip"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF", "pickle"),
        (b"\x80\x04\x95\x10\x27\x00\x00\x00", "pickle"),
        (b"GGUF\x03\x00\x00\x00", "GGUF"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x93NUMPY\x01\x00", "NumPy"),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
    ] {
        let error = read(magic).unwrap_err();
        assert!(matches!(error, ReadError::Foreign(_)) && error.to_string().contains(name), "{error}");
    }
    // A header of 640 bytes begins as a pickle does.
    read(&file(format!("{{}}{}", " ".repeat(638)), &[])).unwrap();
}

/// Counts the bytes that are read.
struct Counter<'a>(Cursor<&'a [u8]>, &'a mut u64);

impl Read for Counter<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        *self.1 += read as u64;
        Ok(read)
    }
}

impl Seek for Counter<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_hostile_header_is_refused_by_its_size() {
    let entries = |n: u32| {
        let entries: Vec<_> =
            (0..n).map(|i| format!(r#""{i}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)).collect();
        format!("{{{}}}", entries.join(","))
    };
    let any = Options { header_limit: 100_000_000, ..Options::default() };
    read(&file(entries(65_536), &[])).unwrap();
    for (header, what) in [
        (entries(1_000_000), "a million tensors"),
        (" ".repeat(100_000_000), "spaces"),
        (format!(r#"{{"w":{}"#, "[".repeat(10_000)), "nesting"),
        (format!(r#"{{"w":{{"dtype":"U8","shape":[{}0],"data_offsets":[0,0]}}}}"#, "0,".repeat(20_000_000)), "rank"),
    ] {
        let file = file(header, &[]);
        SafeTensors::new(Cursor::new(&file), any).map(|_| ()).expect_err(what);
        if file.len() > 16 << 20 {
            let mut count = 0;
            SafeTensors::new(Counter(Cursor::new(&file), &mut count), Options::default()).map(|_| ()).expect_err(what);
            assert_eq!(count, 8, "{what}: the default limit refuses it by its length alone");
        }
    }
}

#[test]
fn every_truncation_is_refused_and_no_flip_goes_unseen() {
    for precision in [Precision::F32, Precision::F16, Precision::BF16] {
        let valid = written(precision);
        let data_start = 8 + u64::from_le_bytes(valid[..8].try_into().unwrap()) as usize;
        let bits = |file: &[u8], name| {
            let entries = read(file)?.read_f32(name)?;
            Ok::<_, ReadError>(entries.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        };
        for len in 0..valid.len() {
            read(&valid[..len]).map(|_| ()).expect_err("a truncated file");
        }
        for position in 0..valid.len() {
            for flip in 1..=255 {
                let mut flipped = valid.clone();
                flipped[position] ^= flip;
                for name in ["a", "b.weight", "none"] {
                    // A flip in the header may rename a tensor, or make it one of integers, but not change it.
                    if let Ok(bits_now) = bits(&flipped, name) {
                        assert!(
                            position >= data_start || bits_now == bits(&valid, name).unwrap(),
                            "{position} ^ {flip}"
                        );
                    }
                }
            }
        }
    }
}

/// Whether the reference reader, too, accepts a file, and sees in it what ours does.
fn reference_agrees(file: &[u8], ours: &Header) -> bool {
    let Ok(reference) = safetensors::SafeTensors::deserialize(file) else { return false };
    let Ok((_, metadata)) = safetensors::SafeTensors::read_metadata(file) else { return false };
    let data = &file[8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize..];
    reference.len() == ours.tensors.len()
        && metadata.metadata().iter().flatten().all(|(key, value)| ours.metadata.get(key) == Some(value))
        && ours.tensors.iter().all(|(name, info)| {
            let [begin, end] = info.data_offsets.map(|offset| offset as usize);
            reference.tensor(name).is_ok_and(|tensor| {
                tensor.dtype().to_string() == info.dtype.to_string()
                    && tensor.shape().iter().map(|&axis| axis as u64).eq(info.shape.iter().copied())
                    && tensor.data() == &data[begin..end]
            })
        })
}

#[test]
fn what_is_accepted_the_reference_accepts_alike() {
    let mut sources = vec![written(Precision::F32), written(Precision::BF16), file_of_nothing()];
    sources.extend(two("0,4", "4,8").map(|header| file(header, &[7; 8])));
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut mutant = sources[rng.random_range(0..sources.len())].clone();
        for _ in 0..rng.random_range(0..4) {
            mutate(&mut mutant, &mut rng);
        }
        // A length that fits most of the time, or no other check would be reached.
        if rng.random_bool(0.9) && mutant.len() > 8 {
            let end = mutant.iter().rposition(|&byte| byte == b'}').unwrap_or(8).max(8) + 1;
            let spaces = mutant[end.min(mutant.len())..].iter().take_while(|&&byte| byte == b' ').count();
            let len = (end + spaces - 8) as u64;
            mutant[..8].copy_from_slice(&len.to_le_bytes());
        }
        if let Ok(ours) = read(&mutant) {
            accepted += 1;
            assert!(reference_agrees(&mutant, ours.header()), "{}", String::from_utf8_lossy(&mutant));
        }
    }
    assert!(accepted > 2_000, "only {accepted} mutants were accepted");
}

fn mutate(file: &mut Vec<u8>, rng: &mut impl Rng) {
    const TOKENS: [&str; 12] =
        ["0", "4", ",", "[]", "{}", "\"a\":", "\"U8\"", "\"F32\"", "-", ".0", " ", "18446744073709551615"];
    let at = rng.random_range(0..=file.len());
    match rng.random_range(0..4) {
        0 if at < file.len() => file[at] = rng.random(),
        1 if at < file.len() => _ = file.remove(at),
        2 => {
            let token = TOKENS[rng.random_range(0..TOKENS.len())];
            file.splice(at..at, token.bytes());
        }
        _ => {
            let from = rng.random_range(0..=file.len());
            let piece = file[from..file.len().min(from + 40)].to_vec();
            file.splice(at..at, piece);
        }
    }
}

#[test]
fn the_comparison_sees_a_difference() {
    let valid = written(Precision::F32);
    let header = read(&valid).unwrap().header().clone();
    assert!(reference_agrees(&valid, &header));
    for sabotage in [
        |header: &mut Header| header.tensors.get_mut("a").unwrap().shape.push(1),
        |header: &mut Header| header.tensors.get_mut("a").unwrap().data_offsets = [4, 8],
        |header: &mut Header| _ = header.tensors.remove("none"),
        |header: &mut Header| header.metadata.clear(),
    ] {
        let mut sabotaged = header.clone();
        sabotage(&mut sabotaged);
        assert!(!reference_agrees(&valid, &sabotaged));
    }
}

#[test]
fn the_reference_accepts_what_the_docs_list() {
    let a = r#""a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#;
    for header in [
        format!("{{{a},{a}}}"),
        r#"{"__metadata__":{"k":"1","k":"2"}}"#.into(),
        format!("{{{}}}", a.replace("\"dtype\"", "\"strides\":[],\"dtype\"")),
        format!("{{{}}}", a.replacen('a', "../../etc/passwd", 1)),
        format!("{{{}}}", a.replace("[0],", "[0,0,0,0,0,0,0,0,0],")),
        format!("{{{}}}", a.replace("U8", "F8_E4M3")),
        format!("{{{}}}", a.replace("[0],", "[0,18446744073709551615,18446744073709551615],")),
    ] {
        safetensors::SafeTensors::deserialize(&file(&header, &[])).unwrap();
        refusal(&header, 0);
    }
}

#[test]
fn weights_are_finite_unless_it_is_allowed() {
    for (value, dtype, bytes) in [
        (f32::NAN, "F32", f32::NAN.to_le_bytes().to_vec()),
        (f32::NEG_INFINITY, "BF16", vec![0x80, 0xff]),
        (f32::INFINITY, "F16", vec![0x00, 0x7c]),
    ] {
        let header = format!(r#"{{"w":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,{}]}}}}"#, bytes.len());
        let file = file(header, &bytes);
        let error = read(&file).unwrap().read_f32("w").unwrap_err();
        assert!(matches!(&error, ReadError::NotFinite { tensor, index: 0, .. } if tensor == "w"), "{error}");
        let allow = Options { allow_non_finite: true, ..Options::default() };
        let entry = SafeTensors::new(Cursor::new(&file), allow).unwrap().read_f32("w").unwrap()[0];
        assert!(entry == value || entry.is_nan() && value.is_nan());
    }
}

#[test]
fn a_type_is_only_read_where_nothing_is_lost() {
    let of = |dtype: &str, bytes: &[u8]| {
        file(format!(r#"{{"w":{{"dtype":"{dtype}","shape":[],"data_offsets":[0,{}]}}}}"#, bytes.len()), bytes)
    };
    let double = of("F64", &0.1_f64.to_le_bytes());
    assert_eq!(read(&double).unwrap().read_f64("w").unwrap(), [0.1]);
    assert!(matches!(read(&double).unwrap().read_f32("w"), Err(ReadError::Type { .. })));
    assert!(matches!(read(&double).unwrap().read_i64("w"), Err(ReadError::Type { .. })));
    for (integer, value) in [
        (of("I64", &i64::MIN.to_le_bytes()), i64::MIN),
        (of("I32", &(-2_i32).to_le_bytes()), -2),
        (of("U32", &u32::MAX.to_le_bytes()), u32::MAX.into()),
        (of("U8", &[200]), 200),
    ] {
        assert_eq!(read(&integer).unwrap().read_i64("w").unwrap(), [value]);
        assert!(matches!(read(&integer).unwrap().read_f64("w"), Err(ReadError::Type { .. })));
    }
    assert!(matches!(read(&double).unwrap().read_f64("v"), Err(ReadError::NoTensor(name)) if name == "v"));
}

#[test]
fn goldens_are_read_as_the_reference_reads_them() {
    for family in FAMILIES {
        for name in ["model.safetensors", "golden.safetensors"] {
            let bytes = std::fs::read(golden(family).join(name)).unwrap();
            let mut ours = read(&bytes).unwrap();
            assert!(reference_agrees(&bytes, ours.header()), "{family}/{name}");
            if name == "golden.safetensors" {
                assert!(ours.read_i64("ids").unwrap().iter().all(|id| (0..29).contains(id)));
                assert_eq!(ours.read_f32("losses").unwrap().len(), 10);
            }
        }
    }
}

#[test]
fn equal_tensors_give_equal_bytes() {
    let [x, y] =
        [Tensor { name: "x", shape: &[1], entries: &[1.0] }, Tensor { name: "y", shape: &[], entries: &[2.0] }];
    let bytes = |tensors: &[Tensor<'_>]| {
        let mut file = Vec::new();
        write(&mut file, Precision::F16, tensors).unwrap();
        file
    };
    assert_eq!(bytes(&[x, y]), bytes(&[y, x]));
    let expected = concat!(
        r#"{"__metadata__":{"format":"pt"},"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"#,
        r#""y":{"dtype":"F16","shape":[],"data_offsets":[2,4]}}"#
    );
    let padded = format!("{expected:width$}", width = expected.len().next_multiple_of(8));
    assert_eq!(bytes(&[x, y]), file(padded, &[0x00, 0x3c, 0x00, 0x40]));
}

#[test]
fn what_would_not_be_read_is_not_written() {
    let w = Tensor { name: "w", shape: &[1], entries: &[70_000.0] };
    let error = |precision, tensors: &[Tensor<'_>]| write(&mut Vec::new(), precision, tensors).unwrap_err();
    write(&mut Vec::new(), Precision::BF16, &[w]).unwrap();
    assert!(matches!(error(Precision::F16, &[w]), WriteError::NotFinite { index: 0, value: 70_000.0, .. }));
    assert!(matches!(error(Precision::F32, &[Tensor { entries: &[f32::NAN], ..w }]), WriteError::NotFinite { .. }));
    assert!(matches!(error(Precision::F32, &[w, w]), WriteError::Name(_)));
    for name in ["", "../w", "__metadata__", "a b"] {
        assert!(matches!(error(Precision::F32, &[Tensor { name, ..w }]), WriteError::Name(_)), "{name}");
    }
    for shape in [&[2][..], &[0], &[u64::MAX, u64::MAX]] {
        assert!(matches!(error(Precision::F32, &[Tensor { shape, ..w }]), WriteError::Shape(_)), "{shape:?}");
    }
    assert!(matches!(error(Precision::F32, &[Tensor { shape: &[1; 9], ..w }]), WriteError::TooMany));
}
