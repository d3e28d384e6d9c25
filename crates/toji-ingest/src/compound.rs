//! Whether the streams of a compound file (the shell of .xls) come to an end.
//!
//! A file is sectors, chained by a table; a chain that runs in a circle has no end, and the workbook library would
//! follow it until memory is gone. So chains are walked here first, without copying anything ([MS-CFB] 2.2 to 2.6).

/// First identifier that is no sector.
const NO_SECTOR: u32 = 0xffff_fffa;
/// Sectors of the table that the header itself names.
const IN_HEADER: usize = 109;
/// Bytes of an entry of the directory.
const ENTRY: usize = 128;

/// What is wrong, in Japanese and in English.
type Fault = [&'static str; 2];

/// A compound file begins so.
const SIGNATURE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

struct Compound<'b> {
    bytes: &'b [u8],
    size: usize,
    /// The sector after each.
    table: Vec<u32>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Says what is wrong with a compound file whose streams do not end; other faults are the reader's to find.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Fault> {
    if !bytes.starts_with(&SIGNATURE) {
        return Ok(());
    }
    let header = |at| u32_at(bytes, at).unwrap_or(NO_SECTOR);
    let size = match header(30) & 0xffff {
        9 => 512,
        12 => 4096,
        _ => return Ok(()),
    };
    let mut file = Compound { bytes, size, table: Vec::new() };
    file.table = file.table(header(68))?;
    file.ends(header(48), usize::MAX)?;
    file.ends(header(60), (header(64) as usize).saturating_mul(size))?;
    for entry in file.chain(header(48)).flat_map(|sector| file.sector(sector).chunks_exact(ENTRY)) {
        let (start, len) = (u32_at(entry, 116).unwrap_or(NO_SECTOR), u32_at(entry, 120).unwrap_or(0) as usize);
        let high = if size == 512 { 0 } else { u32_at(entry, 124).unwrap_or(0) };
        // Streams under 4096 bytes are kept otherwise, and end by their length; the root never is.
        if len >= 4096 || high > 0 || entry.get(66) == Some(&5) {
            file.ends(start, if high > 0 { usize::MAX } else { len })?;
        }
    }
    Ok(())
}

impl Compound<'_> {
    fn sectors(&self) -> usize {
        self.bytes.len() / self.size + 1
    }

    /// A sector; cut where the file is.
    fn sector(&self, id: u32) -> &[u8] {
        let start = (id as usize).saturating_add(1).saturating_mul(self.size).min(self.bytes.len());
        &self.bytes[start..start.saturating_add(self.size).min(self.bytes.len())]
    }

    /// The table, from the sectors that the header and those after it name.
    fn table(&self, mut more: u32) -> Result<Vec<u32>, Fault> {
        let words = |bytes: &[u8]| bytes.chunks_exact(4).filter_map(|w| u32_at(w, 0)).collect::<Vec<u32>>();
        let mut named = words(self.bytes.get(76..76 + 4 * IN_HEADER).unwrap_or_default());
        let mut steps = 0;
        while more < NO_SECTOR {
            steps += 1;
            if steps > self.sectors() {
                return Err(["セクター表が循環しています", "its table of sectors runs in a circle"]);
            }
            let mut next = words(self.sector(more));
            more = next.pop().unwrap_or(NO_SECTOR);
            named.extend(next);
        }
        named.retain(|id| *id < NO_SECTOR);
        if named.len() > self.sectors() {
            return Err(["セクター表がファイルより大きくなっています", "its table of sectors is larger than the file"]);
        }
        Ok(named.into_iter().flat_map(|id| words(self.sector(id))).collect())
    }

    /// The sectors of a chain, as many as the file can have.
    fn chain(&self, start: u32) -> impl Iterator<Item = u32> {
        let next = |id: &u32| self.table.get(*id as usize).copied().filter(|id| *id < NO_SECTOR);
        std::iter::successors((start < NO_SECTOR).then_some(start), next).take(self.sectors() + 1)
    }

    /// Does the chain end, or is what is wanted of it reached before?
    fn ends(&self, start: u32, len: usize) -> Result<(), Fault> {
        let sectors = self.chain(start).count();
        if sectors <= self.sectors() || len <= sectors.saturating_mul(self.size) {
            return Ok(());
        }
        Err(["中のストリームが循環していて終わりません", "a stream in it runs in a circle"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Header, a table whose sector 1 (the directory) is followed by `after`, and a directory of one root.
    fn file(after: u32, root: u32, root_len: u32) -> Vec<u8> {
        let mut bytes = vec![0xff; 3 * 512];
        bytes[..8].copy_from_slice(&SIGNATURE);
        let mut put = |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(28, 0x0009_fffe);
        put(48, 1);
        put(64, 0);
        put(76, 0);
        put(512, 0xffff_fffd);
        put(516, after);
        put(1024 + 64, 0x0105_0016);
        put(1024 + 116, root);
        put(1024 + 120, root_len);
        bytes[1024 + 66] = 5;
        bytes
    }

    #[test]
    fn circles_are_found() {
        assert_eq!(check(&file(0xffff_fffe, 0xffff_fffe, 0)), Ok(()));
        assert_eq!(check(b"no compound file"), Ok(()));
        assert!(check(&file(1, 0xffff_fffe, 0)).is_err(), "the directory follows itself");
        let mut more = file(0xffff_fffe, 0xffff_fffe, 0);
        more[68..72].copy_from_slice(&2u32.to_le_bytes());
        more.resize(4 * 512, 2);
        let end = more.len() - 4;
        more[end..].copy_from_slice(&2u32.to_le_bytes());
        assert!(check(&more).is_err(), "the table names itself");
    }

    proptest! {
        #[test]
        fn anything_is_judged(body in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let mut bytes = SIGNATURE.to_vec();
            bytes.extend(body);
            if bytes.len() > 32 {
                bytes[30] = 9;
                bytes[31] = 0;
            }
            let _ = check(&bytes);
        }
    }
}
