//! The file of the embedded key manager: one line of text, `joinery-key:1:<key>:<checksum>`, both hexadecimal.
//!
//! Text, so that a copy on paper is possible; with a checksum, so that a bad copy is found before it is relied on.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::KmsError;

const PREFIX: &str = "joinery-key:";
const VERSION: &str = "1";
const KEY: usize = 32;
const CHECKSUM: usize = 8;
/// Prefix, version, colon, key, colon, checksum, line end.
const LENGTH: usize = PREFIX.len() + VERSION.len() + 1 + 2 * KEY + 1 + 2 * CHECKSUM + 1;
/// Enough to tell a key file from another; the rest of a large file is not read.
const READ_LIMIT: usize = 1024;

/// 256 bits, erased from memory when dropped.
pub(crate) type Key = Zeroizing<[u8; KEY]>;

/// Reads the key, refusing a file that others than its owner can get at.
pub(crate) fn read(path: &Path) -> Result<Key, KmsError> {
    let unreadable = |detail: String| KmsError::FileUnreadable { path: path.to_owned(), detail };
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => KmsError::FileMissing { path: path.to_owned() },
        _ => unreadable(error.to_string()),
    })?;
    let metadata = file.metadata().map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(KmsError::FileForeign { path: path.to_owned() });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(KmsError::FileExposed { path: path.to_owned(), mode: metadata.mode() & 0o7777 });
    }
    // Its full size from the start: growing would leave a copy of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * READ_LIMIT));
    let limit = u64::try_from(READ_LIMIT).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    parse(&bytes, path, metadata.len())
}

/// Writes a new key file, durably and never over another file.
pub(crate) fn create(path: &Path, key: &Key, temporary_id: u64) -> Result<(), KmsError> {
    let unwritable =
        |error: std::io::Error| KmsError::FileUnwritable { path: path.to_owned(), detail: error.to_string() };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| unwritable(ErrorKind::InvalidInput.into()))?;
    let mut temporary_name = std::ffi::OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{temporary_id:016x}"));
    let temporary = Temporary(folder.join(temporary_name));

    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary.0).map_err(unwritable)?;
    file.write_all(format(key).as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)?;
    // A link, not a rename: it refuses to replace what is there, in one step.
    fs::hard_link(&temporary.0, path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => KmsError::FileExists { path: path.to_owned() },
        _ => unwritable(error),
    })?;
    drop(temporary);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)
}

/// Goes away with the function that made it, whichever way that ends.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // If it stays, a file with the same protection as the key file stays: untidy, and harmless.
        let _ = fs::remove_file(&self.0);
    }
}

fn format(key: &Key) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(LENGTH));
    line.push_str(PREFIX);
    line.push_str(VERSION);
    for part in [key.as_slice(), &checksum(key)] {
        line.push(':');
        for byte in part {
            line.extend(
                [byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)),
            );
        }
    }
    line.push('\n');
    line
}

fn parse(bytes: &[u8], path: &Path, length: u64) -> Result<Key, KmsError> {
    let path = path.to_owned();
    let Some(rest) = bytes.strip_prefix(PREFIX.as_bytes()) else {
        return Err(if PREFIX.as_bytes().starts_with(bytes) {
            KmsError::FileLength { path, found: length, wanted: wanted_length() }
        } else {
            KmsError::FileForeign { path }
        });
    };
    let Some((VERSION, rest)) = split_version(rest) else { return Err(KmsError::FileNewer { path }) };
    // Editors add a line end, copying drops it: neither changes the key.
    let rest = rest.trim_ascii_end();
    if rest.len() != LENGTH - PREFIX.len() - VERSION.len() - 2 {
        return Err(KmsError::FileLength { path, found: length, wanted: wanted_length() });
    }
    let damaged = || KmsError::FileDamaged { path: path.clone() };
    let (key_text, check_text) = rest.split_at_checked(2 * KEY).ok_or_else(damaged)?;
    let mut key = Key::default();
    let mut check = [0; CHECKSUM];
    unhex(key_text, key.as_mut()).ok_or_else(damaged)?;
    check_text.strip_prefix(b":").and_then(|text| unhex(text, &mut check)).ok_or_else(damaged)?;
    if check == checksum(&key) { Ok(key) } else { Err(damaged()) }
}

/// A file that ends within the version is cut short, not newer: `1` stands for it.
fn split_version(rest: &[u8]) -> Option<(&str, &[u8])> {
    match rest.iter().position(|byte| *byte == b':') {
        Some(at) => {
            let (version, rest) = rest.split_at_checked(at)?;
            Some((std::str::from_utf8(version).ok()?, rest.get(1..)?))
        }
        None => Some((VERSION, &[])),
    }
}

fn wanted_length() -> u64 {
    u64::try_from(LENGTH).unwrap_or(u64::MAX)
}

fn checksum(key: &Key) -> [u8; CHECKSUM] {
    let digest: [u8; 32] =
        Sha256::new().chain_update(b"joinery key file v1").chain_update(key.as_slice()).finalize().into();
    let mut sum = [0; CHECKSUM];
    sum.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    sum
}

/// Fills `out` from twice as many hexadecimal digits.
fn unhex(digits: &[u8], out: &mut [u8]) -> Option<()> {
    if digits.len() != 2 * out.len() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = 0;
        for digit in pair {
            *byte = (*byte << 4) | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "joinery-key:1:\
        0707070707070707070707070707070707070707070707070707070707070707:64322ce8b3edea41\n";

    fn parsed(text: &str) -> Result<Key, KmsError> {
        parse(text.as_bytes(), Path::new("/k"), text.len() as u64)
    }

    #[test]
    fn a_key_file_is_this_line() {
        let key = Key::new([7; KEY]);
        assert_eq!(format(&key).as_str(), SAMPLE);
        assert_eq!(SAMPLE.len(), LENGTH);
        for same in [SAMPLE.to_owned(), SAMPLE.trim_end().to_owned(), format!("{}\r\n", SAMPLE.trim_end())] {
            assert_eq!(*parsed(&same).unwrap(), [7; KEY]);
        }
        assert_eq!(*parsed(&SAMPLE.replace("ce8b", "CE8B")).unwrap(), [7; KEY]);
    }

    #[test]
    fn every_other_file_is_told_apart() {
        let check = |text: &str, code: &str| assert_eq!(parsed(text).unwrap_err().code(), code, "{text:?}");
        check("", "kms-file-length");
        check("-----BEGIN PRIVATE KEY-----\n", "kms-file-foreign");
        check(&SAMPLE.replace(":1:", ":2:"), "kms-file-newer");
        check(&SAMPLE.replace(":07", ":17"), "kms-file-damaged");
        check(&SAMPLE.replace(":07", ":g7"), "kms-file-damaged");
        check(&SAMPLE.replace("ce8b", "ce8c"), "kms-file-damaged");
        check(&SAMPLE.replace(":6432", "06432"), "kms-file-damaged");
        check(&format!("{SAMPLE}x"), "kms-file-length");
        for end in 1..SAMPLE.len() - 1 {
            check(&SAMPLE[..end], "kms-file-length");
        }
    }
}
