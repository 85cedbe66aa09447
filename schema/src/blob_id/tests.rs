#![allow(clippy::unwrap_used)]
use super::BlobId;

#[test]
fn ids_are_those_that_git_gives() {
    // By `git hash-object`.
    for (bytes, id) in [
        (&b""[..], "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
        (b"a\r\nb\0\xff", "d82f4d7d719cd76a467736353733c2763115ff44"),
    ] {
        assert_eq!(BlobId::of(bytes).to_string(), id);
        assert_eq!(id.parse(), Ok(BlobId::of(bytes)));
    }
    for bad in ["", "e69de29b", "E69DE29BB2D1D6434B8B29AE775AD8C2E48C5391", &"g".repeat(40), &"0".repeat(64)] {
        assert!(bad.parse::<BlobId>().is_err(), "{bad}");
    }
}
