//! Tokens for registration and administration.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA512, digest};
use axum::http::HeaderMap;

/// Maximum size of a file with a token's hash in bytes.
const MAX_FILE: u64 = 4096;

/// The tokens. Without a token, requests that need it are rejected.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// For registering platforms: the header `user-token`.
    pub user: Option<TokenHash>,
    /// For administration: the header `admin-token`.
    pub admin: Option<TokenHash>,
}

/// The SHA-512 of a token, as a PCCS has it in `UserTokenHash` and `AdminTokenHash`.
#[derive(PartialEq, Eq)]
pub struct TokenHash([u8; 64]);

/// A file cannot be used as a token's hash.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// An error of the operating system.
    #[error("cannot read the hash of the token in {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::Error,
    },
    /// It holds something else.
    #[error(
        "{path} does not hold the SHA-512 of a token in 128 hexadecimal digits; make it with: printf %s TOKEN | \
         sha512sum | cut -d' ' -f1 > FILE"
    )]
    Form {
        /// The file.
        path: PathBuf,
    },
}

/// A request lacks the token that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenError {
    /// The header in which the token belongs.
    pub(crate) name: &'static str,
    pub(crate) problem: &'static str,
}

/// The role that a token gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Admin,
}

impl TokenHash {
    /// Reads 128 hexadecimal digits from this file.
    ///
    /// # Errors
    /// [`TokenFileError`].
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let error = |reason| TokenFileError::Read { path: path.to_owned(), reason };
        let wrong = || TokenFileError::Form { path: path.to_owned() };
        let digits = match untrusted_input::read(path, MAX_FILE) {
            Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(wrong()),
            digits => digits.map_err(error)?,
        };
        let mut hash = [0; 64];
        hex::decode_to_slice(digits.trim_ascii(), &mut hash).map_err(|_| wrong())?;
        Ok(Self(hash))
    }

    fn matches(&self, token: &[u8]) -> bool {
        verify_slices_are_equal(digest(&SHA512, token).as_ref(), &self.0).is_ok()
    }
}

impl Tokens {
    /// Checks that the request has the token for this role.
    ///
    /// # Errors
    /// The problem, without the token.
    pub(crate) fn check(&self, role: Role, headers: &HeaderMap) -> Result<(), TokenError> {
        let (name, hash) = match role {
            Role::User => ("user-token", &self.user),
            Role::Admin => ("admin-token", &self.admin),
        };
        let shown = headers.get(name).filter(|token| !token.is_empty());
        let problem = match (hash, shown) {
            (None, _) => "this token is not configured",
            (_, None) => "it is missing",
            (Some(hash), Some(token)) if hash.matches(token.as_bytes()) => return Ok(()),
            _ => "it is wrong",
        };
        Err(TokenError { name, problem })
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// As `printf %s password | sha512sum` prints it.
    const OF_PASSWORD: &str = "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb9\
        80b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86";

    fn read(text: &str) -> Result<TokenHash, TokenFileError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        TokenHash::read(file.path())
    }

    fn with_header(name: &'static str, token: &str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::HeaderName::from_static(name), token.parse().unwrap())])
    }

    #[test]
    fn tokens_are_checked_by_their_hashes() {
        let tokens = Tokens { user: Some(read(&format!("{OF_PASSWORD}\n")).unwrap()), admin: None };
        let check = |role, headers: &HeaderMap| tokens.check(role, headers);
        assert_eq!(check(Role::User, &with_header("user-token", "password")), Ok(()));
        for (role, headers) in [
            (Role::User, HeaderMap::new()),
            (Role::User, with_header("user-token", "")),
            (Role::User, with_header("user-token", "Password")),
            (Role::User, with_header("user-token", OF_PASSWORD)),
            (Role::User, with_header("admin-token", "password")),
            (Role::Admin, with_header("admin-token", "password")),
        ] {
            assert!(check(role, &headers).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn files_without_a_hash_are_rejected() {
        for text in ["", "password", &OF_PASSWORD[1..], &"00".repeat(4096)] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains("sha512sum"), "{error}");
        }
        assert!(read(&OF_PASSWORD.to_uppercase()).is_ok());
        let error = TokenHash::read(Path::new("/there/is/none")).unwrap_err();
        assert!(error.to_string().contains("/there/is/none"), "{error}");
    }
}
