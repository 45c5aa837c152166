//! Writing a file so that after a power cut it holds either all of the old content or all of the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file could not be written; the old content, if there was any, is untouched.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}{}", path.display(), hint(source))]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

impl WriteError {
    /// A stable name for logs and scripts.
    pub fn code(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk-full",
            io::ErrorKind::PermissionDenied => "file-permission",
            io::ErrorKind::ReadOnlyFilesystem => "file-system-read-only",
            _ => "file-write",
        }
    }

    /// Whether trying again may help: a full disk can be given space.
    pub fn is_retryable(&self) -> bool {
        self.code() == "disk-full"
    }
}

/// What the operator can do, where the kind of error tells.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make space on this disk, then try again"
        }
        io::ErrorKind::PermissionDenied => "; the user that this program runs as must own the folder",
        io::ErrorKind::NotFound => "; create the folder first",
        _ => "",
    }
}

/// Replaces the file at `path` by `bytes`, with the permission bits `mode` whatever the umask says. When it returns,
/// content and name are on the disk. One writer per path at a time.
///
/// # Errors
/// When any step fails; the file then still holds what it held before.
pub fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    let fail = |source| WriteError { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Some(name) = path.file_name() else {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidInput, "this names no file")));
    };
    // One fixed name, so that a crash in the middle leaves at most one such file, and the next write clears it.
    let mut fresh_name = name.to_owned();
    fresh_name.push(".new");
    let fresh = folder.join(fresh_name);

    write_fresh(&fresh, bytes, mode).and_then(|()| fs::rename(&fresh, path)).map_err(|source| {
        let _ = fs::remove_file(&fresh);
        fail(source)
    })?;
    // Without this the rename itself may be lost.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail)
}

/// Writes the temporary file and brings it to the disk.
fn write_fresh(fresh: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    match fs::remove_file(fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `create_new` follows no link and takes over nobody else's file; the mode holds from the first byte.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(fresh)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes over `before` (and over a left-over of a crash, if `crashed`) and expects the content and mode to be new.
    #[track_caller]
    fn check(before: Option<&str>, crashed: bool, mode: u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        if crashed {
            fs::write(folder.path().join("state.new"), "half a fi").unwrap();
        }
        write_durably(&path, b"new content", mode).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new content");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn creates_replaces_and_clears_up() {
        check(None, false, 0o600);
        check(Some("old and much longer content"), false, 0o640);
        check(Some("old"), true, 0o600);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_says_which() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no-such-folder").join("state");
        let error = write_durably(&missing, b"x", 0o600).unwrap_err();
        assert!(error.to_string().contains("no-such-folder/state"), "{error}");
        assert!(error.to_string().ends_with("create the folder first"), "{error}");
        assert_eq!(error.code(), "file-write");
        assert!(!error.is_retryable());

        // A folder in the way of the rename.
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "kept").unwrap();
        assert!(write_durably(&path, b"x", 0o600).is_err());
        assert_eq!(fs::read_to_string(path.join("inside")).unwrap(), "kept");
        assert!(!folder.path().join("taken.new").exists());
    }

    #[test]
    fn a_full_disk_is_named_as_such() {
        let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else { return };
        let source = (&full).write_all(b"x").unwrap_err();
        let error = WriteError { path: PathBuf::from("/state/file"), source };
        assert_eq!(error.code(), "disk-full");
        assert!(error.is_retryable());
        assert!(error.to_string().ends_with("make space on this disk, then try again"), "{error}");
    }
}
