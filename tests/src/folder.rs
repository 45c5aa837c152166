//! The folder of one test: everything that the programs write is in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A temporary folder, removed at the end.
#[derive(Debug)]
pub struct Folder {
    root: TempDir,
}

impl Folder {
    /// A new one with a home and a folder for temporary files in it.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("joinery-").tempdir().expect("no temporary folder");
        for name in ["home", "tmp"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// The path of `name` in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file that only its owner may read, and its folders.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A command whose program finds its home and temporary files here, and nothing of the session that runs the test.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env("TZ", "UTC")
            .current_dir(self.path());
        command
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}
