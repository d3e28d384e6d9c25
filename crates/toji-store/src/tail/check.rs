//! Verification of the journal: every frame against its hash, every file against the one before.

use super::frame::Frame;
use super::journal::{self, Read};
use crate::store::Store;
use toji_core::{Diagnostic, Digest, Place, Result};

impl Store {
    /// Reads all journal files again; returns the number of frames.
    pub(crate) fn verify_tail(&self, found: &mut Vec<Diagnostic>) -> Result<u64> {
        let dir = &self.tail.dir;
        let (numbers, kept) = journal::list(dir)?;
        let mut frames = 0;
        let mut before: Option<(u64, Digest)> = None;
        for number in numbers {
            // What is acknowledged while this runs comes behind; what was before must be there.
            let written = {
                let state = self.tail.state();
                state.files.get(&number).filter(|_| state.writing).and_then(|j| j.place)
            };
            let read = match journal::read(dir, number, None) {
                Ok(read) => read,
                Err(_) if !journal::path(dir, number).exists() && written.is_none() => continue,
                Err(error) => {
                    let message = &error.fault().message;
                    found.push(finding(number, message.ja.clone(), message.en.clone()));
                    continue;
                }
            };
            frames += read.frames.len() as u64;
            self.check_file(number, &read, before, found);
            if let (Some(written), Some(end)) = (written, read.end)
                && end.at < written.at
                && self.tail.state().files.contains_key(&number)
            {
                found.push(finding(number, "末尾が失われています".into(), "its end is missing".into()));
            }
            before = read.end.map(|end| (number, end.hash));
        }
        for number in kept {
            found.push(finding(
                number,
                format!("損傷したジャーナルを damaged-{number:012}.tail として保管しています"),
                format!("a damaged journal is kept as damaged-{number:012}.tail"),
            ));
        }
        Ok(frames)
    }

    fn check_file(&self, number: u64, read: &Read, before: Option<(u64, Digest)>, found: &mut Vec<Diagnostic>) {
        for at in &read.damage {
            found.push(finding(
                number,
                format!("{at} バイト目から内容がハッシュ鎖と合いません。書き換えられています"),
                format!("from byte {at} on the content does not fit the hash chain: it was altered"),
            ));
        }
        let unknown = read.frames.iter().filter(|content| Frame::decode(content).is_none()).count();
        if unknown > 0 {
            found.push(finding(number, format!("{unknown} 件を読めません"), format!("{unknown} frames are not readable")));
        }
        if let (Some((last, hash)), Some(said)) = (before, read.before)
            && last + 1 == number
            && hash != said
        {
            found.push(finding(number, "前のファイルとつながりません".into(), "it does not follow the file before".into()));
        }
    }
}

fn finding(number: u64, ja: String, en: String) -> Diagnostic {
    Diagnostic::error(
        "E-LIVE-020",
        Place::field(format!("live/journal-{number:012}.tail")),
        format!("ライブのジャーナル {number}: {ja}"),
        format!("live journal {number}: {en}"),
    )
    .remedy(
        "ディスクを確認し、バックアップまたは送信元から補ってください",
        "check the disk; restore it from a backup or from the source",
    )
}
