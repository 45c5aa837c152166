//! Looks for marked strings in everything that was written, in every form in which they may hide.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::bytes::RegexBuilder;

/// A string that must not be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What it is.
    pub name: &'static str,
    /// The string: long enough never to occur by chance.
    pub text: String,
}

impl Mark {
    /// The mark `text`, which is `name`.
    pub fn new(name: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        assert!(text.len() >= 8, "{name}: a mark of {} bytes may occur by chance", text.len());
        Self { name, text }
    }

    /// Every form of it. Of base64 there are three, by where in a longer text it begins; what its neighbours have part
    /// in is left out.
    fn forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let bytes = self.text.as_bytes();
        let utf16 = |order: fn(u16) -> [u8; 2]| self.text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let hex = bytes.iter().fold(String::new(), |mut all, byte| {
            let _never = write!(all, "{byte:02x}");
            all
        });
        let escaped = bytes.iter().fold(String::new(), |mut all, byte| {
            let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
            let _never =
                if plain { write!(all, "{}", char::from(*byte)) } else { write!(all, "%{byte:02X}") };
            all
        });
        let listed = bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let mut forms = vec![
            ("plain", bytes.to_vec()),
            ("URL-escaped", escaped.into_bytes()),
            ("UTF-16LE", utf16(u16::to_le_bytes)),
            ("UTF-16BE", utf16(u16::to_be_bytes)),
            ("hexadecimal", hex.into_bytes()),
            ("a list of bytes", listed.into_bytes()),
        ];
        for before in 0..3 {
            let mut text = vec![0; before];
            text.extend(bytes);
            text.extend([0; 3]);
            let (from, to) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
            for code in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                forms.push(("base64", code.as_bytes()[from..to].to_vec()));
            }
        }
        forms
    }
}

/// A place where a mark was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Which mark.
    pub name: &'static str,
    /// In which form.
    pub form: &'static str,
    /// In which file, or as the name of which.
    pub file: PathBuf,
    /// Byte offset.
    pub at: usize,
}

/// All places under `root` where one of `marks` is found, besides the files `except`. Also returns how many files and
/// bytes were read.
pub fn traces(root: &Path, except: &[PathBuf], marks: &[Mark]) -> (Vec<Trace>, usize, usize) {
    let forms: Vec<_> = marks
        .iter()
        .flat_map(|mark| mark.forms().into_iter().map(|(form, bytes)| (mark.name, form, bytes)))
        .collect();
    let pattern = forms.iter().map(|(.., bytes)| literal(bytes)).collect::<Vec<_>>().join("|");
    let pattern = RegexBuilder::new(&pattern)
        .unicode(false)
        .case_insensitive(true)
        .size_limit(256 << 20)
        .build()
        .expect("the marks make no pattern");
    let mut found = Vec::new();
    let (mut files, mut bytes) = (0, 0);
    for file in files_under(root) {
        if except.contains(&file) {
            continue;
        }
        // What was there for a moment only, on its way to another name, is found under that one.
        let Some(content) = unless_gone(&file, fs::read(&file)) else { continue };
        files += 1;
        bytes += content.len();
        let name = file.strip_prefix(root).unwrap_or(&file).as_os_str().as_encoded_bytes().to_vec();
        for text in [content, name] {
            found.extend(pattern.find_iter(&text).map(|hit| {
                let known = forms.iter().find(|(.., form)| form.eq_ignore_ascii_case(hit.as_bytes()));
                let (name, form) = known.map_or(("?", "?"), |(name, form, _)| (*name, *form));
                Trace { name, form, file: file.clone(), at: hit.start() }
            }));
        }
    }
    (found, files, bytes)
}

fn literal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut all, byte| {
        let _never = write!(all, "\\x{byte:02x}");
        all
    })
}

/// All files under `folder`; sockets hold nothing.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in unless_gone(folder, fs::read_dir(folder)).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(kind) = unless_gone(&path, entry.file_type()) else { continue };
        if kind.is_dir() {
            files.extend(files_under(&path));
        } else if kind.is_file() {
            files.push(path);
        }
    }
    files
}

/// Programs that run make and remove files while they are looked for.
fn unless_gone<T>(path: &Path, read: io::Result<T>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{} cannot be read: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search that finds nothing proves nothing unless it would have found.
    #[test]
    fn a_mark_is_found_in_every_form() {
        let mark = Mark::new("subject", "Zebra canary/7f3a?");
        for (form, bytes) in mark.forms() {
            let folder = tempfile::tempdir().unwrap();
            let text = [b"before ".as_slice(), &bytes, b" after"].concat();
            fs::write(folder.path().join("log"), text).unwrap();
            let (found, files, _) = traces(folder.path(), &[], std::slice::from_ref(&mark));
            assert_eq!((found.len(), files), (1, 1), "{form}");
            assert_eq!((found[0].name, found[0].form, found[0].at), ("subject", form, 7));
        }
    }

    #[test]
    fn a_mark_in_the_middle_of_a_longer_text_is_found_in_base64() {
        let mark = Mark::new("subject", "zebra-canary");
        for before in ["", "x", "xx", "xxx", "xxxx"] {
            let folder = tempfile::tempdir().unwrap();
            let code = STANDARD_NO_PAD.encode(format!("{before}zebra-canary!"));
            fs::write(folder.path().join("log"), code).unwrap();
            assert_eq!(traces(folder.path(), &[], std::slice::from_ref(&mark)).0.len(), 1, "{before:?}");
        }
    }

    #[test]
    fn names_of_files_count_and_excepted_files_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let mark = [Mark::new("subject", "zebra-canary")];
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/Zebra-Canary"), "").unwrap();
        assert_eq!(traces(folder.path(), &[], &mark).0.len(), 1);
        assert_eq!(traces(folder.path(), &[folder.path().join("sub/Zebra-Canary")], &mark).0.len(), 0);
    }
}
