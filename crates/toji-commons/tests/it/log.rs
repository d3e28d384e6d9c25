//! The log against published values, and against whoever would change it.

use crate::day;
use base64::Engine as _;
use proptest::prelude::*;
use std::collections::BTreeMap;
use toji_commons::log::{
    Checkpoint, Entry, KeyKind, Log, Note, Salt, Seen, SigningKey, Tree, Vault, VerifierKey, Witness, commitment, empty_root,
    leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
use toji_core::Digest;

/// The leaves of the certificate-transparency test suite (merkletree/merkle_tree_test.cc; the same in
/// transparency-dev/merkle testonly/constants.go and in sigstore-rs), hex.
const LEAVES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
/// Its roots for 1 to 8 leaves.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hash(hex: &str) -> Digest {
    Digest::parse(hex).unwrap()
}
fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}
fn published() -> Tree {
    Tree::of(&LEAVES.map(bytes))
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let tree = published();
    assert_eq!(empty_root(), hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    for (n, root) in ROOTS.iter().enumerate() {
        assert_eq!(tree.root_at(n as u64 + 1).unwrap(), hash(root), "{} leaves", n + 1);
    }
    assert_eq!(tree.root(), hash(ROOTS[7]));
    assert_eq!(tree.root_at(9).unwrap_err().code(), "E-LOG-001");
}

#[test]
fn proofs_are_those_of_certificate_transparency() {
    let tree = published();
    // (leaf from 1, size, path), as published.
    let inclusion: [(u64, u64, &[&str]); 4] = [
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (3, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            2,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (leaf, size, path) in inclusion {
        let expected: Vec<Digest> = path.iter().map(|h| hash(h)).collect();
        assert_eq!(tree.inclusion(leaf - 1, size).unwrap(), expected, "leaf {leaf} of {size}");
    }
    let consistency: [(u64, u64, &[&str]); 5] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
        (
            6,
            7,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ];
    for (old, new, path) in consistency {
        let expected: Vec<Digest> = path.iter().map(|h| hash(h)).collect();
        assert_eq!(tree.consistency(old, new).unwrap(), expected, "{old} to {new}");
        verify_consistency(old, new, &expected, &hash(ROOTS[old as usize - 1]), &hash(ROOTS[new as usize - 1])).unwrap();
    }
}

/// The definition of RFC 9162 §2.1.1, as it is written there.
fn root_by_definition(leaves: &[Vec<u8>]) -> Digest {
    match leaves {
        [] => empty_root(),
        [one] => leaf_hash(one),
        many => {
            let mut k = 1;
            while 2 * k < many.len() {
                k *= 2;
            }
            node_hash(&root_by_definition(&many[..k]), &root_by_definition(&many[k..]))
        }
    }
}

/// Every leaf of every tree up to 40 leaves, every pair of sizes, and every corruption of each proof.
#[test]
fn every_proof_of_every_small_tree_verifies_and_no_corruption_does() {
    let leaves: Vec<Vec<u8>> = (0..40u8).map(|i| vec![i; usize::from(i % 5)]).collect();
    let tree = Tree::of(&leaves);
    let (mut inclusions, mut consistencies, mut refused) = (0, 0, 0);
    for size in 0..=40u64 {
        let root = tree.root_at(size).unwrap();
        assert_eq!(root, root_by_definition(&leaves[..size as usize]));
        for index in 0..size {
            let path = tree.inclusion(index, size).unwrap();
            let leaf = tree.leaf(index).unwrap();
            verify_inclusion(&leaf, index, size, &path, &root).unwrap();
            inclusions += 1;
            for wrong in corrupted(&path) {
                verify_inclusion(&leaf, index, size, &wrong, &root).unwrap_err();
                refused += 1;
            }
            verify_inclusion(&leaf_hash(b"another"), index, size, &path, &root).unwrap_err();
            verify_inclusion(&leaf, size, size, &path, &root).unwrap_err();
            verify_inclusion(&leaf, index, size, &path, &empty_root()).unwrap_err();
            verify_inclusion(&leaf, index, size * 2, &path, &root).unwrap_err();
        }
        for old in 0..=size {
            let path = tree.consistency(old, size).unwrap();
            let before = tree.root_at(old).unwrap();
            verify_consistency(old, size, &path, &before, &root).unwrap();
            consistencies += 1;
            for wrong in corrupted(&path) {
                verify_consistency(old, size, &wrong, &before, &root).unwrap_err();
                refused += 1;
            }
            if old != size {
                verify_consistency(old, size, &path, &root, &before).unwrap_err();
                verify_consistency(size, old, &path, &root, &before).unwrap_err();
                verify_consistency(old, size, &path, &leaf_hash(b"other"), &root).unwrap_err();
                verify_consistency(old, size, &path, &before, &leaf_hash(b"other")).map_or_else(
                    |_| (),
                    // Everything continues the empty log.
                    |()| assert_eq!(old, 0),
                );
            }
        }
    }
    assert_eq!((inclusions, consistencies), (820, 861));
    assert!(refused > 10_000, "{refused}");
}

/// A path with each step flipped, left out, or one too many before and after.
fn corrupted(path: &[Digest]) -> Vec<Vec<Digest>> {
    let mut wrong = Vec::new();
    for i in 0..path.len() {
        let mut flipped = path.to_vec();
        let mut bytes = *flipped[i].bytes();
        bytes[i % 32] ^= 4;
        flipped[i] = Digest::from_bytes(bytes);
        wrong.push(flipped);
        let mut short = path.to_vec();
        short.remove(i);
        wrong.push(short);
    }
    for extra in [Digest::zero(), empty_root()] {
        wrong.push([&[extra], path].concat());
        wrong.push([path, &[extra]].concat());
    }
    wrong
}

/// The example of golang.org/x/mod/sumdb/note, with its published key.
#[test]
fn the_published_note_is_signed_and_opened() {
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let published = format!(
        "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let seed = base64::engine::general_purpose::STANDARD.decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").unwrap();
    let key = SigningKey::from_seed("PeterNeumann", KeyKind::Log, &seed[1..].try_into().unwrap()).unwrap();
    assert_eq!(key.verifier().to_string(), verifier);
    let mut note = Note::new(text).unwrap();
    note.add(key.sign(text).unwrap());
    assert_eq!(note.to_string(), published);

    let keys = [VerifierKey::parse(verifier).unwrap()];
    let read = Note::parse(&published).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.verified(&keys).unwrap().len(), 1);
    let altered = Note::parse(&published.replace("answer", "anſwer")).unwrap();
    assert_eq!(altered.verified(&keys).unwrap_err().code(), "E-LOG-008");
    let stranger = SigningKey::from_seed("Other", KeyKind::Log, &[7; 32]).unwrap();
    assert_eq!(read.verified(&[stranger.verifier().clone()]).unwrap_err().code(), "E-LOG-009");
    for wrong in ["PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann", "", "a+b+c"] {
        assert_eq!(VerifierKey::parse(wrong).unwrap_err().code(), "E-LOG-004");
    }
}

/// The examples of the C2SP texts, whose keys are not published: they are read and written byte for byte,
/// and the cosignature bears the time that the text names.
#[test]
fn the_examples_of_c2sp_are_read() {
    // c2sp.org/tlog-cosignature.
    let example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = Note::parse(example).unwrap();
    assert_eq!(note.to_string(), example);
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.text(), note.text());
    let cosignature = &note.signatures()[1];
    assert_eq!(cosignature.bytes.len(), 72);
    assert_eq!(u64::from_be_bytes(cosignature.bytes[..8].try_into().unwrap()), 1_679_315_147);
    // c2sp.org/signed-note: a text with an empty line in it.
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\
        \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let note = Note::parse(poem).unwrap();
    assert!(note.text().ends_with("\n\ned è subito sera.\n"));
    assert_eq!(note.to_string(), poem);
}

/// A cosigned checkpoint made by another program (data/cosigned.py) opens, and ours is the same bytes.
#[test]
fn a_cosigned_checkpoint_of_another_program() {
    let file = include_str!("data/cosigned.txt");
    let (keys, theirs) = file.split_once("\n\n").unwrap();
    let keys: Vec<VerifierKey> = keys.lines().map(|k| VerifierKey::parse(k).unwrap()).collect();
    let note = Note::parse(theirs).unwrap();
    let opened = Checkpoint::open(&note, &keys[0], &keys[1..], 1).unwrap();
    assert_eq!((opened.checkpoint.size, opened.checkpoint.root), (8, hash(ROOTS[7])));
    assert_eq!(opened.witnesses, [("member.example/w1".to_owned(), 1_767_225_600)]);

    let seed = |from: u8| -> [u8; 32] { std::array::from_fn(|i| from + i as u8) };
    let log = SigningKey::from_seed("commons.example/log", KeyKind::Log, &seed(0)).unwrap();
    let witness = SigningKey::from_seed("member.example/w1", KeyKind::Cosigner, &seed(32)).unwrap();
    let mut ours = opened.checkpoint.sign(&log).unwrap();
    let mut member = Witness::new(witness, keys[0].clone(), "commons.example/log", Seen::default());
    ours.add(member.consider(&ours, &[], 1_767_225_600).unwrap());
    assert_eq!(ours.to_string(), theirs);
}

#[test]
fn malformed_notes_and_checkpoints_are_refused() {
    for wrong in [
        "",
        "\n\n",
        "a\n",
        "a\n\n",
        "a\n\nb\n",
        "a\n\n\u{2014} x\n",
        "a\n\n\u{2014} x AAAA\n",
        "a\n\n\u{2014} x AAAAAAA=",
        "a\u{1}\n\n\u{2014} x AAAAAAA=\n",
        "a\n\n\u{2014} x+y AAAAAAA=\n",
    ] {
        assert_eq!(Note::parse(wrong).unwrap_err().code(), "E-LOG-007", "{wrong:?}");
    }
    let many = format!("a\n\n{}", "\u{2014} x AAAAAAA=\n".repeat(101));
    assert_eq!(Note::parse(&many).unwrap_err().code(), "E-LOG-007");
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for wrong in [
        "log\n1\n".to_owned(),
        format!("log\n01\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        format!("\n1\n{root}\n"),
        format!("log\n1\n{root}"),
        format!("log\n1\n{root}\n\nx\n"),
        "log\n1\nAAAA\n".to_owned(),
        "log\n99999999999999999999\nAAAA\n".to_owned(),
    ] {
        assert_eq!(Checkpoint::parse(&wrong).unwrap_err().code(), "E-LOG-010", "{wrong:?}");
    }
}

fn entry(n: i64) -> Entry {
    let facts = BTreeMap::from([("clause".to_owned(), format!("P-{n}"))]);
    Entry { at: day(n), kind: "decision".into(), facts, personal: BTreeMap::new() }
}
fn log_of(n: i64) -> Log {
    let mut log = Log::new("commons.example/log");
    for i in 0..n {
        assert_eq!(log.append(&entry(i)).unwrap(), i as u64);
    }
    log
}

/// Three members witness; the keeper shows one of them another history.
#[test]
fn a_fork_is_refused() {
    let key = SigningKey::from_seed("commons.example/log", KeyKind::Log, &[1; 32]).unwrap();
    let names = ["kura.example/w", "amino.example/w", "enzyme.example/w"];
    let keys: Vec<SigningKey> =
        (0..3u8).map(|i| SigningKey::from_seed(names[usize::from(i)], KeyKind::Cosigner, &[10 + i; 32]).unwrap()).collect();
    let public: Vec<VerifierKey> = keys.iter().map(|k| k.verifier().clone()).collect();
    let member = |i: usize| Witness::new(keys[i].clone(), key.verifier().clone(), "commons.example/log", Seen::default());
    let mut members: Vec<Witness> = (0..3).map(member).collect();

    let mut log = log_of(5);
    let mut first = log.checkpoint(&key).unwrap();
    for member in &mut members {
        first.add(member.consider(&first, &[], 100).unwrap());
    }
    assert_eq!(Checkpoint::open(&first, key.verifier(), &public, 3).unwrap().witnesses.len(), 3);

    // The keeper drops the fourth decision and goes on; two logs then claim to continue size 5.
    let mut forged = Log::new("commons.example/log");
    for i in [0, 1, 2, 4, 5, 6, 7] {
        forged.append(&entry(i)).unwrap();
    }
    for i in 5..9 {
        log.append(&entry(i)).unwrap();
    }
    let honest = log.checkpoint(&key).unwrap();
    let fork = forged.checkpoint(&key).unwrap();
    let proof = log.tree().consistency(5, 9).unwrap();
    members[0].consider(&honest, &proof, 200).unwrap();
    for proof in [forged.tree().consistency(5, 7).unwrap(), proof.clone(), Vec::new()] {
        let before = members[1].seen().clone();
        let error = members[1].consider(&fork, &proof, 200).unwrap_err();
        assert_eq!(error.code(), "E-LOG-014");
        assert!(error.fault().hint.as_ref().is_some_and(|h| !h.ja.is_empty() && !h.en.is_empty()));
        assert_eq!(*members[1].seen(), before);
    }
    // Smaller than what was seen, another log, another signer, a clock that went back.
    assert_eq!(members[0].consider(&first, &[], 300).unwrap_err().code(), "E-LOG-014");
    let other = Checkpoint { origin: "other.example/log".into(), size: 9, root: log.tree().root(), extensions: vec![] };
    assert_eq!(members[2].consider(&other.sign(&key).unwrap(), &proof, 200).unwrap_err().code(), "E-LOG-012");
    let thief = SigningKey::from_seed("commons.example/log", KeyKind::Log, &[2; 32]).unwrap();
    assert_eq!(members[2].consider(&log.checkpoint(&thief).unwrap(), &proof, 200).unwrap_err().code(), "E-LOG-009");
    assert_eq!(members[2].consider(&honest, &proof, 99).unwrap_err().code(), "E-LOG-013");
    // A quorum of three is not reached with one cosignature, and a log's key is no witness.
    let mut one = honest.clone();
    one.add(members[2].consider(&honest, &proof, 200).unwrap());
    assert_eq!(Checkpoint::open(&one, key.verifier(), &public, 2).unwrap_err().code(), "E-LOG-011");
    assert_eq!(Checkpoint::open(&one, key.verifier(), &public, 1).unwrap().witnesses, [("enzyme.example/w".to_owned(), 200)]);
    assert_eq!(keys[0].sign("a\n").unwrap_err().code(), "E-LOG-006");
}

/// A person is forgotten: the salt is destroyed, and every proof holds as before.
#[test]
fn a_destroyed_salt_leaves_the_log_verifiable() {
    let key = SigningKey::from_seed("commons.example/log", KeyKind::Log, &[1; 32]).unwrap();
    let mut vault = Vault::new();
    let mut log = log_of(3);
    let person = vault.keep(Salt::new([9; 32]), "杜氏 山田").unwrap();
    assert_eq!(vault.keep(Salt::new([9; 32]), "杜氏 山田").unwrap_err().code(), "E-LOG-015");
    let mut named = entry(3);
    named.personal.insert("who".into(), person);
    let index = log.append(&named).unwrap();
    log.append(&entry(4)).unwrap();
    let note = log.checkpoint(&key).unwrap();
    assert_eq!(vault.open(&person), Some("杜氏 山田"));

    assert!(vault.forget(&person));
    assert_eq!(vault.open(&person), None);
    assert!(!vault.forget(&person));
    // Neither the entry nor a guess of the name with another salt leads back.
    let text = String::from_utf8(log.entries()[3].clone()).unwrap();
    assert!(text.contains(&person.to_string()) && !text.contains("山田"));
    assert_ne!(commitment(&Salt::new([8; 32]), "杜氏 山田"), person);

    let head = Checkpoint::open(&note, key.verifier(), &[], 0).unwrap().checkpoint;
    let mirror = Log::mirror(log.entries().to_vec(), &head).unwrap();
    let path = mirror.tree().inclusion(index, head.size).unwrap();
    verify_inclusion(&leaf_hash(&named.bytes().unwrap()), index, head.size, &path, &head.root).unwrap();
}

/// Whatever byte of whatever entry changes, the mirror notices.
#[test]
fn every_flipped_byte_of_a_mirror_is_noticed() {
    let key = SigningKey::from_seed("commons.example/log", KeyKind::Log, &[1; 32]).unwrap();
    let log = log_of(6);
    let head = Checkpoint::open(&log.checkpoint(&key).unwrap(), key.verifier(), &[], 0).unwrap().checkpoint;
    let mut flipped = 0;
    for e in 0..6 {
        for b in 0..log.entries()[e].len() {
            let mut entries = log.entries().to_vec();
            entries[e][b] ^= 1;
            assert_eq!(Log::mirror(entries, &head).unwrap_err().code(), "E-LOG-016");
            flipped += 1;
        }
    }
    assert!(flipped > 300, "{flipped}");
    let note = log.checkpoint(&key).unwrap().to_string();
    for b in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[b] ^= 1;
        let opened = String::from_utf8(bytes)
            .ok()
            .and_then(|text| Note::parse(&text).ok())
            .and_then(|note| Checkpoint::open(&note, key.verifier(), &[], 0).ok());
        // Base64 has spare bits at the end of the root line's and the signature's last group; those are
        // refused too, since only the canonical spelling is read.
        assert_eq!(opened, None, "byte {b}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn growing_logs_stay_consistent(leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 1..300), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let tree = Tree::of(&leaves);
        let (a, b) = (a.index(leaves.len()) as u64, b.index(leaves.len()) as u64);
        let (old, new) = (a.min(b) + 1, a.max(b) + 1);
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
        prop_assert_eq!(new_root, root_by_definition(&leaves[..new as usize]));
        verify_consistency(old, new, &tree.consistency(old, new).unwrap(), &old_root, &new_root).unwrap();
        verify_inclusion(&leaf_hash(&leaves[a as usize]), a, new.max(a + 1), &tree.inclusion(a, new.max(a + 1)).unwrap(), &tree.root_at(new.max(a + 1)).unwrap()).unwrap();
        // A changed early leaf is never consistent.
        let mut changed = leaves.clone();
        changed[(old - 1) as usize].push(1);
        let other = Tree::of(&changed);
        prop_assert!(verify_consistency(old, new, &other.consistency(old, new).unwrap(), &old_root, &other.root_at(new).unwrap()).is_err());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}(\n\n)?(\u{2014} [a-z]{1,3} [A-Za-z0-9+/]{0,12}={0,2}\n)?") {
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.to_string(), text);
        }
    }
}
