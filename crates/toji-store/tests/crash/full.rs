//! A full disk: the import is refused in plain words, nothing of it is seen, and it goes in once there is
//! room.

use crate::imports::{SMALL, Size, Told, assert_sound, child, is_there, take_in};
use std::path::{Path, PathBuf};
use std::process::Command;
use toji_core::Category;
use toji_store::Store;

/// A limit on the size of files (in blocks of 512 bytes) stands for the full disk, for each kind of file
/// the store writes. The signal is ignored, so that writing fails as it does on a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_refuses_the_import() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    let store = Store::init(&folder, None).await.unwrap();
    take_in(&store, 0, SMALL).await.unwrap();
    drop(store);
    let cases = [
        ("the file as it came", Size { blob_bytes: 3_000_000, ..SMALL }, &["E-STORE-001"][..]),
        ("the series", Size { points: 300_000, ..SMALL }, &["E-STORE-001"][..]),
        // SQLite names no cause but a full disk; of this limit it says that writing failed.
        ("the catalogue", Size { note_bytes: 3_000_000, ..SMALL }, &["E-STORE-001", "E-STORE-006"][..]),
    ];
    for (i, (what, size, codes)) in cases.into_iter().enumerate() {
        let n = i as u64 + 1;
        let limited = child(&folder, n, n + 1, size, Some("trap '' XFSZ; ulimit -f 2000")).output().unwrap();
        let told = Told::of(&String::from_utf8_lossy(&limited.stdout));
        assert!(told.acknowledged.is_empty(), "{what}: {told:?}");
        assert!(matches!(told.refused.as_slice(), [(m, code)] if *m == n && codes.contains(&code.as_str())), "{what}: {told:?}");
        let store = Store::open(&folder, None).await.unwrap();
        assert!(!is_there(&store, n, size).await, "{what}");
        assert!(is_there(&store, 0, SMALL).await, "{what}");
        assert_sound(&store, true).await;
        drop(store);
        let free = child(&folder, n, n + 1, size, None).output().unwrap();
        let told = Told::of(&String::from_utf8_lossy(&free.stdout));
        assert!(told.acknowledged.contains(&n), "{what}, with room: {told:?}");
        let store = Store::open(&folder, None).await.unwrap();
        assert!(is_there(&store, n, size).await, "{what}, with room");
        assert_sound(&store, true).await;
    }
}

/// A small file system in memory, unmounted at the end.
struct Disk(PathBuf);

impl Disk {
    fn mounted(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = format!("size={size}");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        match done {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => {
                println!(
                    "skipped: a small file system cannot be mounted here: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                println!("skipped: there is no mount command: {error}");
                None
            }
        }
    }
    fn grown(&self, size: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mounted(&dir.path().join("disk"), "2m") else { return };
    let folder = disk.0.join("store");
    let store = Store::init(&folder, None).await.unwrap();
    let mixed = |n: u64| match n % 3 {
        0 => Size { blob_bytes: 60_000, ..SMALL },
        1 => Size { points: 9_000, ..SMALL },
        _ => Size { note_bytes: 50_000, ..SMALL },
    };
    let mut size_mb = 2;
    let mut refusals = Vec::new();
    let mut n = 0;
    while refusals.len() < 5 {
        match take_in(&store, n, mixed(n)).await {
            Ok(_) => {
                n += 1;
                assert!(n < 2000, "the disk never filled");
            }
            Err(error) => {
                assert_eq!((error.code(), error.category()), ("E-STORE-001", Category::Storage), "import {n}: {error:?}");
                assert!(error.fault().message.ja.contains("空き") && !error.fault().hint.as_ref().unwrap().en.is_empty());
                assert!(!is_there(&store, n, mixed(n)).await, "import {n} was refused and is there");
                assert!(n == 0 || is_there(&store, n - 1, mixed(n - 1)).await);
                refusals.push(n);
                size_mb += 1;
                disk.grown(&format!("{size_mb}m"));
                // The same process, the same import.
                take_in(&store, n, mixed(n)).await.unwrap();
                n += 1;
            }
        }
    }
    for m in 0..n {
        assert!(is_there(&store, m, mixed(m)).await, "import {m}");
    }
    assert_sound(&store, true).await;
    drop(store);
    println!("{n} imports, refused for want of room: {refusals:?}");
}
