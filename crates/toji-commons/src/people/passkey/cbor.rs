//! As much CBOR (RFC 8949) as authenticators speak: integers, byte and text strings, arrays, maps, truth values, all of
//! known length (CTAP 2.2 §8). Anything else, and a key that stands twice, is not read.

/// How deep values may stand within one another: CTAP allows four levels.
const DEEPEST: usize = 4;

/// A value; strings are borrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// An integer of 64 bits with a sign.
    Integer(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
    /// `false`, `true` and `null`.
    Simple(u8),
}

impl<'a> Value<'a> {
    /// What stands in a map under this number.
    pub(super) fn at(&self, key: i64) -> Option<&Self> {
        self.under(&Self::Integer(key))
    }
    /// What stands in a map under this name.
    pub(super) fn named(&self, key: &str) -> Option<&Self> {
        self.under(&Value::Text(key))
    }
    fn under(&self, key: &Value<'_>) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(held, _)| held == key).map(|(_, value)| value),
            _ => None,
        }
    }
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The first value, and how many bytes it takes.
pub(super) fn read(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    Some((value, reader.at))
}

/// The one value that these bytes are.
pub(super) fn read_whole(bytes: &[u8]) -> Option<Value<'_>> {
    let (value, length) = read(bytes)?;
    (length == bytes.len()).then_some(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let first = *self.take(1)?.first()?;
        let (sort, short) = (first >> 5, first & 0x1f);
        if sort == 7 {
            return (20..=22).contains(&short).then_some(Value::Simple(short));
        }
        let number = match short {
            0..=23 => u64::from(short),
            24..=27 => self.take(1 << (short - 24))?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)),
            _ => return None,
        };
        let length = usize::try_from(number);
        match sort {
            0 => i64::try_from(number).ok().map(Value::Integer),
            1 => i64::try_from(number).ok().map(|number| Value::Integer(-1 - number)),
            2 => self.take(length.ok()?).map(Value::Bytes),
            3 => std::str::from_utf8(self.take(length.ok()?)?).ok().map(Value::Text),
            4 => (0..number).map(|_| self.value(depth + 1)).collect::<Option<Vec<_>>>().map(Value::Array),
            5 => self.map(number, depth),
            _ => None,
        }
    }

    fn map(&mut self, pairs: u64, depth: usize) -> Option<Value<'a>> {
        let mut read: Vec<(Value<'a>, Value<'a>)> = Vec::new();
        for _ in 0..pairs {
            let key = self.value(depth + 1)?;
            if read.iter().any(|(held, _)| *held == key) {
                return None;
            }
            read.push((key, self.value(depth + 1)?));
        }
        Some(Value::Map(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_rfc_8949() {
        let check = |coded: &str, expected: Value<'_>| assert_eq!(read_whole(&hex(coded)), Some(expected), "{coded}");
        check("00", Value::Integer(0));
        check("17", Value::Integer(23));
        check("1818", Value::Integer(24));
        check("1903e8", Value::Integer(1000));
        check("1a000f4240", Value::Integer(1_000_000));
        check("1b000000e8d4a51000", Value::Integer(1_000_000_000_000));
        check("20", Value::Integer(-1));
        check("3863", Value::Integer(-100));
        check("3903e7", Value::Integer(-1000));
        check("f4", Value::Simple(20));
        check("f5", Value::Simple(21));
        check("4401020304", Value::Bytes(&[1, 2, 3, 4]));
        check("62c3bc", Value::Text("ü"));
        check("83010203", Value::Array(vec![Value::Integer(1), Value::Integer(2), Value::Integer(3)]));
        check("a201020304", Value::Map(vec![(Value::Integer(1), Value::Integer(2)), (Value::Integer(3), Value::Integer(4))]));
        let map = hex("a26161016162820203");
        let map = read_whole(&map).unwrap();
        assert_eq!(map.named("a").and_then(Value::integer), Some(1));
        assert!(map.named("c").is_none() && map.at(1).is_none());
    }

    #[test]
    fn what_authenticators_do_not_speak_is_not_read() {
        for coded in [
            "",                   // nothing
            "1bffffffffffffffff", // beyond 64 bits with a sign
            "5f42010243030405ff", // of unknown length
            "9f018202039f0405ffff",
            "c074323031332d30332d32315432303a30343a30305a", // a tag
            "f93c00",                                       // a float
            "f7",                                           // undefined
            "1c",                                           // reserved
            "62c328",                                       // no UTF-8
            "a201020103",                                   // a key twice
            "818181818180",                                 // too deep
            "4403",                                         // cut off
            "9bffffffffffffffff01",                         // a length that cannot be
            "0000",                                         // something after it
        ] {
            assert_eq!(read_whole(&hex(coded)), None, "{coded}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some((_, length)) = read(&bytes) {
                prop_assert!(length <= bytes.len());
            }
        }
    }
}
