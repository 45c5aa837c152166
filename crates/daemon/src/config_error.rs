//! What is wrong with a configuration file, and where in it, in words.

use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with the configuration: file, line, key and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    line: Option<usize>,
    key: Option<String>,
    message: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "configuration {}", file.display())?,
            None => f.write_str("configuration")?,
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", `{key}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl ConfigError {
    /// A stable name for logs and scripts.
    pub const fn code(&self) -> &'static str {
        "config"
    }

    /// Never: somebody has to change the file.
    pub const fn is_retryable(&self) -> bool {
        false
    }

    /// The file at `path` cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "there is no such file; write it, or name another with --config".to_owned()
            }
            std::io::ErrorKind::PermissionDenied => {
                "may not be read by this user; allow it, or run as its owner".to_owned()
            }
            std::io::ErrorKind::InvalidData => "is not text in UTF-8; write it anew".to_owned(),
            _ => format!("cannot be read: {error}"),
        };
        Self { file: Some(path.to_owned()), line: None, key: None, message }
    }

    /// `value` under `key` is wrong; `text` is the whole source, for the line.
    pub fn at<T>(text: &str, key: &str, value: &toml::Spanned<T>, message: impl Into<String>) -> Self {
        let line = Some(line_of(text, value.span().start));
        Self { file: None, line, key: Some(key.to_owned()), message: message.into() }
    }

    /// `key` is not there, or what stands in its place by default cannot be used.
    pub fn missing(key: &str, message: impl Into<String>) -> Self {
        Self { file: None, line: None, key: Some(key.to_owned()), message: message.into() }
    }

    /// The same, of the file at `path`.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        Self { file: Some(path.to_owned()), ..self }
    }

    /// The parser's own sentence with line and key, but never the source line: it may hold a secret that was put under
    /// a wrong key.
    pub fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| line_of(text, span.start));
        let key = line
            .and_then(|line| text.lines().nth(line.saturating_sub(1)))
            .and_then(|source| source.split_once('='))
            .map(|(key, _)| key.trim().to_owned())
            .filter(|key| !key.is_empty() && !key.starts_with('#'));
        Self { file: None, line, key, message: error.message().trim().replace('\n', "; ") }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
