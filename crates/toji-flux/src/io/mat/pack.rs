//! MATLAB files of level 5, written: one packed variable, little-endian.
//!
//! MathWorks, MAT-File Format, version R2024b, chapter 1.

use super::level5::Array;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

const BYTES: u32 = 1;
const UINT8: u32 = 2;
const UINT16: u32 = 4;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const PACKED: u32 = 15;
const UTF8: u32 = 16;
const UTF16: u32 = 17;
/// Longest name of a field, with the byte that ends it.
const NAME: usize = 32;

/// A file of one variable; `None` when a part is longer than the format's 4 GiB.
pub(super) fn file(name: &str, array: &Array) -> Option<Vec<u8>> {
    let mut header = b"MATLAB 5.0 MAT-file, Platform: any, Created by: Toji".to_vec();
    header.resize(116, b' ');
    header.resize(124, 0);
    // Version 0x0100, and the letters that tell the order of bytes.
    header.extend(0x0100_u16.to_le_bytes());
    header.extend(b"IM");
    let mut plain = Vec::new();
    element(&mut plain, MATRIX, &matrix(name, array)?)?;
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    packer.write_all(&plain).ok()?;
    let packed = packer.finish().ok()?;
    header.extend(PACKED.to_le_bytes());
    header.extend(u32::try_from(packed.len()).ok()?.to_le_bytes());
    header.extend(packed);
    Some(header)
}

/// Tag, content and what fills it up to eight bytes.
fn element(out: &mut Vec<u8>, kind: u32, content: &[u8]) -> Option<()> {
    out.extend(kind.to_le_bytes());
    out.extend(u32::try_from(content.len()).ok()?.to_le_bytes());
    out.extend(content);
    out.resize(out.len().div_ceil(8) * 8, 0);
    Some(())
}

fn whole(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = usize>) -> Option<()> {
    let mut bytes = Vec::new();
    for n in numbers {
        bytes.extend(i32::try_from(n).ok()?.to_le_bytes());
    }
    element(out, INT32, &bytes)
}

fn doubles(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = f64>) -> Option<()> {
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f64::to_le_bytes).collect();
    element(out, DOUBLE, &bytes)
}

/// Numbers of a full matrix, kept as small as they are, as MATLAB keeps them: SciPy hands them on so, and COBRApy takes those of
/// compartments for places in a list.
fn numbers(out: &mut Vec<u8>, values: &[f64]) -> Option<()> {
    let whole = |v: &f64| Some(*v as u16).filter(|n| f64::from(*n).to_bits() == v.to_bits());
    match values.iter().map(whole).collect::<Option<Vec<u16>>>() {
        Some(small) if small.iter().all(|n| *n < 256) => {
            let bytes: Vec<u8> = small.iter().flat_map(|n| n.to_le_bytes().into_iter().take(1)).collect();
            element(out, UINT8, &bytes)
        }
        Some(small) => element(out, UINT16, &small.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>()),
        None => doubles(out, values.iter().copied()),
    }
}

/// Content of a matrix element: flags, sizes, name, value.
fn matrix(name: &str, array: &Array) -> Option<Vec<u8>> {
    let (class, sizes, most) = match array {
        Array::Cells(cells) => (1, [cells.len(), 1], 0),
        Array::Structure(_) => (2, [1, 1], 0),
        Array::Text(rows) => (4, [usize::from(units(rows) > 0), units(rows)], 0),
        Array::Sparse(entries, sizes) => (5, *sizes, entries.len().max(1)),
        Array::Numbers(_, sizes) => (6, *sizes, 0),
        Array::Other => return None,
    };
    let mut out = Vec::new();
    let flags: Vec<u8> = [class, u32::try_from(most).ok()?].into_iter().flat_map(u32::to_le_bytes).collect();
    element(&mut out, UINT32, &flags)?;
    whole(&mut out, sizes)?;
    element(&mut out, BYTES, name.as_bytes())?;
    match array {
        Array::Cells(cells) => {
            for cell in cells {
                element(&mut out, MATRIX, &matrix("", cell)?)?;
            }
        }
        Array::Structure(fields) => {
            whole(&mut out, [NAME])?;
            let mut names = Vec::new();
            for (at, (field, _)) in fields.iter().enumerate() {
                names.extend(field.bytes().take(NAME - 1));
                names.resize((at + 1) * NAME, 0);
            }
            element(&mut out, BYTES, &names)?;
            for (_, value) in fields {
                element(&mut out, MATRIX, &matrix("", value)?)?;
            }
        }
        Array::Text(rows) => {
            let text = rows.first().map_or("", String::as_str);
            if text.is_ascii() {
                element(&mut out, UTF8, text.as_bytes())?;
            } else {
                let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                element(&mut out, UTF16, &units)?;
            }
        }
        Array::Sparse(entries, sizes) => {
            whole(&mut out, entries.iter().map(|e| e.0))?;
            let mut starts = vec![0; sizes[1] + 1];
            for entry in entries {
                *starts.get_mut(entry.1 + 1)? += 1;
            }
            for column in 0..sizes[1] {
                starts[column + 1] += starts[column];
            }
            whole(&mut out, starts)?;
            doubles(&mut out, entries.iter().map(|e| e.2))?;
        }
        Array::Numbers(values, _) => numbers(&mut out, values)?,
        Array::Other => return None,
    }
    Some(out)
}

/// Characters of a text of one row, as the format counts them.
fn units(rows: &[String]) -> usize {
    rows.first().map_or(0, |text| text.encode_utf16().count())
}

#[cfg(test)]
mod tests {
    use super::super::level5::variables;
    use super::*;
    use proptest::prelude::*;

    fn numbers() -> impl Strategy<Value = Array> {
        (0_usize..4, 0_usize..4).prop_flat_map(|(rows, columns)| {
            prop::collection::vec(any::<f64>().prop_filter("a number", |v| !v.is_nan()), rows * columns)
                .prop_map(move |values| Array::Numbers(values, [rows, columns]))
        })
    }

    fn sparse() -> impl Strategy<Value = Array> {
        (1_usize..5, 0_usize..5).prop_flat_map(|(rows, columns)| {
            prop::collection::vec(prop::option::of(-1e9..1e9), rows * columns).prop_map(move |cells| {
                let at = |(k, value): (usize, Option<f64>)| value.map(|v| (k % rows, k / rows, v));
                Array::Sparse(cells.into_iter().enumerate().filter_map(at).collect(), [rows, columns])
            })
        })
    }

    fn array() -> impl Strategy<Value = Array> {
        let leaf = prop_oneof![numbers(), sparse(), "\\PC{0,9}".prop_map(|text| Array::Text(vec![text]))];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Array::Cells),
                prop::collection::vec(("[a-zA-Z][a-zA-Z0-9_]{0,30}", inner), 1..5).prop_map(Array::Structure),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_the_same(name in "[a-z]{1,40}", array in array()) {
            let bytes = file(&name, &array).unwrap();
            prop_assert_eq!(variables(&bytes).unwrap(), vec![(name, array)]);
        }
    }
}
