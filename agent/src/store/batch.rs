//! One atomic set of writes, with long values cut into pieces.

use serde::Serialize;
use std::collections::BTreeMap;

/// A leaf of sled holds at most 20 items, and beyond 128 KiB it is stored outside the log: pieces stay below 1/20 of that.
const PIECE: usize = 4 << 10;
const WHOLE: u8 = 0;
const CUT: u8 = 1;

/// Writes that take effect together. Later ones win over earlier ones of the same key.
#[derive(Debug, Default)]
pub struct Batch {
    writes: BTreeMap<String, Option<Vec<u8>>>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Sets `key` to `value`. Keys contain no NUL.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn put<T: Serialize + ?Sized>(&mut self, key: impl Into<String>, value: &T) -> Result<(), super::StoreError> {
        let key = key.into();
        let bytes =
            serde_json::to_vec(value).map_err(|source| super::StoreError::Record { key: key.clone(), source })?;
        self.writes.insert(key, Some(bytes));
        Ok(())
    }

    /// Removes `key`, if it is there.
    pub fn remove(&mut self, key: impl Into<String>) {
        self.writes.insert(key.into(), None);
    }

    /// Whether it would change nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// `load` gives the stored value of a key, so that pieces of a replaced long value go too.
    pub(super) fn into_sled<V: AsRef<[u8]>>(
        self,
        load: impl Fn(&[u8]) -> sled::Result<Option<V>>,
    ) -> sled::Result<sled::Batch> {
        let mut sled_batch = sled::Batch::default();
        for (key, value) in self.writes {
            let old_pieces = load(key.as_bytes())?.map_or(0, |head| piece_count(head.as_ref()));
            let new_pieces = match &value {
                None => {
                    sled_batch.remove(key.as_bytes());
                    0
                }
                Some(bytes) if bytes.len() <= PIECE => {
                    sled_batch.insert(key.as_bytes(), [&[WHOLE], bytes.as_slice()].concat());
                    0
                }
                Some(bytes) => {
                    let count = bytes.chunks(PIECE).len() as u32;
                    sled_batch.insert(key.as_bytes(), [&[CUT], count.to_be_bytes().as_slice()].concat());
                    for (index, piece) in (0..).zip(bytes.chunks(PIECE)) {
                        sled_batch.insert(piece_key(&key, index), piece);
                    }
                    count
                }
            };
            for index in new_pieces..old_pieces {
                sled_batch.remove(piece_key(&key, index));
            }
        }
        Ok(sled_batch)
    }
}

/// Puts a value together again. `None` when a piece is missing.
pub(super) fn join<V: AsRef<[u8]>>(
    key: &str,
    head: &[u8],
    load: impl Fn(Vec<u8>) -> sled::Result<Option<V>>,
) -> sled::Result<Option<Vec<u8>>> {
    match head.split_first() {
        Some((&WHOLE, bytes)) => Ok(Some(bytes.to_vec())),
        Some((&CUT, _)) => {
            let mut bytes = Vec::new();
            for index in 0..piece_count(head) {
                let Some(piece) = load(piece_key(key, index))? else { return Ok(None) };
                bytes.extend_from_slice(piece.as_ref());
            }
            Ok(Some(bytes))
        }
        _ => Ok(None),
    }
}

/// The key of a record, or `None` for a piece of one.
pub(super) fn record_key(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key).ok().filter(|key| !key.contains('\0'))
}

fn piece_count(head: &[u8]) -> u32 {
    match head {
        [CUT, a, b, c, d] => u32::from_be_bytes([*a, *b, *c, *d]),
        _ => 0,
    }
}

fn piece_key(key: &str, index: u32) -> Vec<u8> {
    format!("{key}\0{index:08}").into_bytes()
}
