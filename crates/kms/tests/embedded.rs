//! The embedded key manager against real files.
#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use joinery_kms::{Embedded, KeyManager, KmsError, WrappedKey};

const PAYLOAD: &[u8] = b"JDK1 canary payload";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn what_was_wrapped_unwraps_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    let first = KeyManager::Embedded(Embedded::create(&path).unwrap());
    let stored = first.wrap(PAYLOAD).await.unwrap().to_bytes();
    drop(first);
    let again = KeyManager::Embedded(Embedded::open(&path).unwrap());
    let wrapped = WrappedKey::from_bytes(&stored).unwrap();
    assert_eq!(again.unwrap(&wrapped).await.unwrap().as_slice(), PAYLOAD);
    again.health().await.unwrap();
    assert!(!stored.windows(6).any(|window| window == b"canary"));
    assert_ne!(again.wrap(PAYLOAD).await.unwrap().blob, wrapped.blob, "each wrap has its own nonce");
}

#[tokio::test]
async fn a_changed_wrap_is_corrupt_and_a_foreign_one_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let mine = KeyManager::Embedded(Embedded::create(&folder.path().join("mine")).unwrap());
    let other = KeyManager::Embedded(Embedded::create(&folder.path().join("other")).unwrap());
    let good = mine.wrap(PAYLOAD).await.unwrap();
    for at in 0..good.blob.len() {
        let mut bad = good.clone();
        bad.blob[at] ^= 1;
        assert_eq!(mine.unwrap(&bad).await.unwrap_err().code(), "kms-corrupt", "{at}");
    }
    for end in 0..good.blob.len() {
        let bad = WrappedKey { blob: good.blob[..end].to_vec(), ..good.clone() };
        assert_eq!(mine.unwrap(&bad).await.unwrap_err().code(), "kms-corrupt", "{end}");
    }
    let error = other.unwrap(&good).await.unwrap_err();
    assert_eq!(error.code(), "kms-not-found");
    assert!(error.to_string().contains(&good.to_string()), "{error}");
    for foreign in [
        WrappedKey { provider: "vault".into(), ..good.clone() },
        WrappedKey { version: "2".into(), ..good.clone() },
    ] {
        assert_eq!(mine.unwrap(&foreign).await.unwrap_err().code(), "kms-not-found");
    }
}

#[test]
fn a_new_key_file_is_private_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    Embedded::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["kek"]);
}

#[test]
fn whatever_is_there_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    Embedded::create(&path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(Embedded::create(&path).unwrap_err(), KmsError::FileExists { path: path.clone() });
    assert_eq!(fs::read(&path).unwrap(), before);
    let dangling = folder.path().join("link");
    symlink(folder.path().join("nowhere"), &dangling).unwrap();
    assert_eq!(Embedded::create(&dangling).unwrap_err().code(), "kms-file-exists");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn of_many_that_create_one_key_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    let made: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Embedded::create(&path).is_ok())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
    Embedded::open(&path).unwrap();
}

#[tokio::test]
async fn each_wrong_key_file_has_its_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    let check = |code: &str, says: &[&str]| {
        let error = Embedded::open(&path).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        for part in says.iter().copied().chain([path.to_str().unwrap()]) {
            assert!(error.to_string().contains(part), "{error} should say {part}");
        }
        assert!(!error.is_retryable());
    };
    check("kms-file-missing", &["does not exist", "restore"]);
    let embedded = Embedded::create(&path).unwrap();
    let good = fs::read(&path).unwrap();
    set_mode(&path, 0o640);
    check("kms-file-exposed", &["0640", "chmod 0600"]);
    set_mode(&path, 0o400);
    Embedded::open(&path).unwrap();
    set_mode(&path, 0o600);
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    check("kms-file-length", &["a key file has"]);
    fs::write(&path, [b'x'; 5000]).unwrap();
    check("kms-file-foreign", &["is not a key file"]);
    fs::write(&path, [0xff; 32]).unwrap();
    check("kms-file-foreign", &["is not a key file"]);
    let manager = KeyManager::Embedded(embedded);
    assert_eq!(manager.health().await.unwrap_err().code(), "kms-file-foreign");
    fs::remove_file(&path).unwrap();
    Embedded::create(&path).unwrap();
    assert_eq!(manager.health().await.unwrap_err().code(), "kms-file-changed");
    fs::remove_file(&path).unwrap();
    assert_eq!(manager.health().await.unwrap_err().code(), "kms-file-missing");
    fs::create_dir(&path).unwrap();
    check("kms-file-foreign", &["is not a key file"]);
}

#[test]
fn a_key_file_that_cannot_be_written_has_its_sentence() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("missing/kek"), Path::new("/proc/joinery-kek").to_owned()] {
        let error = Embedded::create(&path).unwrap_err();
        assert_eq!(error.code(), "kms-file-unwritable", "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn nothing_of_the_key_prints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    let manager = KeyManager::Embedded(Embedded::create(&path).unwrap());
    let file = fs::read_to_string(&path).unwrap();
    let key = file.split(':').nth(2).unwrap();
    let printed = format!("{manager:?} {} {:?}", manager.describe(), manager.wrap(PAYLOAD).await.unwrap());
    for start in 0..key.len() - 8 {
        assert!(!printed.contains(&key[start..start + 8]));
    }
    assert!(manager.describe().contains(path.to_str().unwrap()));
}
