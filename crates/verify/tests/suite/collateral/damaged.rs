//! Answers that were changed, cut, or are of another kind.

use std::sync::atomic::{AtomicUsize, Ordering};

use verify::CollateralError;

use crate::collateral::pieces::{Piece, intels};

#[test]
fn one_flipped_bit_anywhere_in_the_answer() {
    for piece in intels() {
        let bytes = counting_bytes(&piece.body);
        on_all_processors(&bytes, |byte| {
            let mut damaged = piece.clone();
            damaged.body[byte] ^= flip(byte);
            refused(&damaged, &format!("byte {byte}"));
        });
    }
}

#[test]
fn one_flipped_bit_anywhere_in_the_issuer_chain() {
    for piece in intels() {
        let bytes = counting_bytes(piece.issuer_chain.as_bytes());
        on_all_processors(&bytes, |byte| {
            let mut chain = piece.issuer_chain.clone().into_bytes();
            chain[byte] ^= flip(byte);
            let issuer_chain = String::from_utf8(chain).unwrap();
            refused(&Piece { issuer_chain, ..piece.clone() }, &format!("chain, byte {byte}"));
        });
    }
}

#[test]
fn cut_or_with_something_added() {
    for piece in intels() {
        let whole = piece.body.trim_ascii_end().len();
        for length in (0..whole).step_by(7) {
            let body = piece.body[..length].to_vec();
            let error = refused(&Piece { body, ..piece.clone() }, &format!("{length} bytes"));
            assert!(matches!(error, CollateralError::Unreadable { .. }), "{error}");
        }
        for added in [&b"\0"[..], b"x", &piece.body] {
            let body = [&piece.body, added].concat();
            refused(&Piece { body, ..piece.clone() }, "added");
            let body = [added, &piece.body].concat();
            refused(&Piece { body, ..piece.clone() }, "put before");
        }
    }
}

#[test]
fn of_another_kind() {
    let pieces = intels();
    for piece in &pieces {
        for other in pieces.iter().filter(|other| other.name != piece.name) {
            let mistaken = Piece { body: other.body.clone(), ..piece.clone() };
            let error = refused(&mistaken, other.name);
            let kind = matches!(
                error,
                CollateralError::Unreadable { .. } | CollateralError::WronglySigned { .. }
            );
            assert!(kind, "{} for {}: {error}", other.name, piece.name);
        }
    }
}

#[test]
fn nonsense() {
    for piece in intels() {
        for nonsense in [&b""[..], b"{}", b"null", b"\xff\xfe", &[b'['; 100_000], &[0x30; 1000]] {
            let error = refused(&Piece { body: nonsense.to_vec(), ..piece.clone() }, "nonsense");
            assert!(matches!(error, CollateralError::Unreadable { .. }), "{error}");
        }
    }
}

#[track_caller]
fn refused(piece: &Piece, how: &str) -> CollateralError {
    let checked = piece.check();
    checked.expect_err(&format!("{}: {how} makes no difference", piece.name))
}

/// The index of a byte; white space in PEM does not count.
fn counting_bytes(bytes: &[u8]) -> Vec<usize> {
    let is_pem = bytes.starts_with(b"-----");
    (0..bytes.len()).filter(|byte| !(is_pem && bytes[*byte].is_ascii_whitespace())).collect()
}

/// One of the lower five bits: the next one is the case of letters, which does not count in
/// hexadecimal digits, and the highest would break UTF-8.
fn flip(byte: usize) -> u8 {
    1 << (byte % 5)
}

fn on_all_processors(bytes: &[usize], test: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some(byte) = bytes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    test(*byte);
                }
            });
        }
    });
}
