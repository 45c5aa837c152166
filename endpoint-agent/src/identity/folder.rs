//! The identity on disk: a folder that is written whole and then put in its place by one rename, so that key and
//! certificate always belong together, whenever the power goes.
//!
//! `identity` is a symbolic link to the folder that counts, `identity-….` : a link can be replaced in one step on every
//! file system, a folder that is not empty on few.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use joinery_model::{DeploymentId, DeviceId};
use joinery_seal::DeviceSecret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Identity, IdentityError};

const LINK: &str = "identity";
const PREFIX: &str = "identity-";
const PENDING: &str = "enrolling";

const IDS: &str = "ids.json";
const KEY: &str = "key.pkcs8";
const CERTIFICATE: &str = "certificate.der";
const SECRET: &str = "grants.key";
const CACHE_KEY: &str = "cache.key";
const REQUEST: &str = "request.der";

/// The shape of the folder; a later one is refused.
const VERSION: u32 = 1;

/// No connector names as many; a bound for what is read.
const MAX_ANCHORS: u32 = 16;

/// What is not secret.
#[derive(Serialize, Deserialize)]
struct Ids {
    version: u32,
    device: DeviceId,
    deployment: DeploymentId,
    host: String,
    session_port: u16,
    anchors: u32,
}

/// Keys made for an enrollment that has not been answered yet. Kept, so that a lost answer can be asked for again: the
/// connector repeats it for the same request.
#[derive(Clone)]
pub struct Pending {
    /// Private key, PKCS #8.
    pub key: Zeroizing<Vec<u8>>,
    /// Certificate request for it, DER.
    pub request: Vec<u8>,
    /// Opens grants.
    pub secret: DeviceSecret,
}

/// Where the identity is kept.
#[derive(Debug, Clone)]
pub struct IdentityFolder {
    state_dir: PathBuf,
}

impl IdentityFolder {
    /// The identity under `state_dir`.
    pub fn new(state_dir: &Path) -> Self {
        Self { state_dir: state_dir.to_owned() }
    }

    /// Makes the state folder, for its owner only, if it is not there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn prepare(&self) -> Result<(), IdentityError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.state_dir);
        made.map_err(|source| IdentityError::Io { path: self.state_dir.clone(), source })
    }

    /// The identity; `None` before enrollment.
    ///
    /// # Errors
    /// When it is damaged or may not be read.
    pub fn load(&self) -> Result<Option<Identity>, IdentityError> {
        let folder = self.state_dir.join(LINK);
        let ids = match fs::read(folder.join(IDS)) {
            Ok(ids) => ids,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_symlink() => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.damaged("ids")),
            Err(source) => return Err(IdentityError::Io { path: folder.join(IDS), source }),
        };
        let ids: Ids = serde_json::from_slice(&ids).map_err(|_| self.damaged("ids"))?;
        if ids.version != VERSION || ids.anchors > MAX_ANCHORS {
            return Err(self.damaged("version"));
        }
        let anchors = (0..ids.anchors).map(|n| self.read(&folder.join(anchor(n)), "anchor"));
        let secret = Zeroizing::new(self.read(&folder.join(SECRET), "secret")?);
        let cache_key = Zeroizing::new(self.read(&folder.join(CACHE_KEY), "cache key")?);
        Ok(Some(Identity {
            device: ids.device,
            deployment: ids.deployment,
            host: ids.host,
            session_port: ids.session_port,
            key: Zeroizing::new(self.read(&folder.join(KEY), "key")?),
            certificate: self.read(&folder.join(CERTIFICATE), "certificate")?,
            anchors: anchors.collect::<Result<_, _>>()?,
            secret: DeviceSecret::from_bytes(&secret).map_err(|_| self.damaged("secret"))?,
            cache_key: Zeroizing::new(
                cache_key.as_slice().try_into().map_err(|_| self.damaged("cache key"))?,
            ),
        }))
    }

    /// Puts `identity` in the place of what was there. When it returns, all of it is on the disk; until then all of the
    /// former one counts. `tag` names the new folder and must be random.
    ///
    /// # Errors
    /// When the system refuses; the former identity then still counts.
    pub fn save(&self, identity: &Identity, tag: [u8; 8]) -> Result<(), IdentityError> {
        let ids = Ids {
            version: VERSION,
            device: identity.device,
            deployment: identity.deployment,
            host: identity.host.clone(),
            session_port: identity.session_port,
            anchors: u32::try_from(identity.anchors.len()).unwrap_or(u32::MAX),
        };
        let ids = serde_json::to_vec(&ids).unwrap_or_default();
        let secret = identity.secret.as_bytes();
        let anchors = identity.anchors.iter().zip(0..).map(|(der, n)| (anchor(n), der.as_slice()));
        let mut files: Vec<(String, &[u8])> = vec![
            (IDS.to_owned(), &ids),
            (KEY.to_owned(), &identity.key),
            (CERTIFICATE.to_owned(), &identity.certificate),
            (SECRET.to_owned(), secret.as_ref()),
            (CACHE_KEY.to_owned(), identity.cache_key.as_ref()),
        ];
        files.extend(anchors);

        let name = format!("{PREFIX}{:016x}", u64::from_be_bytes(tag));
        self.attempt(&self.state_dir.join(&name), |folder| write_folder(folder, &files))?;
        self.attempt(&self.state_dir.join("identity.new"), |fresh| {
            remove_file_if_there(fresh)?;
            symlink(&name, fresh)?;
            fs::rename(fresh, self.state_dir.join(LINK))?;
            sync_folder(&self.state_dir)
        })?;
        self.clear_up(&name);
        Ok(())
    }

    /// Keys of an enrollment that was begun and not answered, if there are any that can be read.
    pub fn pending(&self) -> Option<Pending> {
        let folder = self.state_dir.join(PENDING);
        Some(Pending {
            key: Zeroizing::new(fs::read(folder.join(KEY)).ok()?),
            request: fs::read(folder.join(REQUEST)).ok()?,
            secret: DeviceSecret::from_bytes(&Zeroizing::new(fs::read(folder.join(SECRET)).ok()?)).ok()?,
        })
    }

    /// Keeps the keys of an enrollment that is about to be asked for.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn keep_pending(&self, pending: &Pending) -> Result<(), IdentityError> {
        let secret = pending.secret.as_bytes();
        let files: [(String, &[u8]); 3] = [
            (KEY.to_owned(), &pending.key),
            (REQUEST.to_owned(), &pending.request),
            (SECRET.to_owned(), secret.as_ref()),
        ];
        self.forget_pending();
        let fresh = self.state_dir.join("enrolling.new");
        self.attempt(&fresh, |fresh| {
            remove_folder_if_there(fresh)?;
            write_folder(fresh, &files)?;
            fs::rename(fresh, self.state_dir.join(PENDING))?;
            sync_folder(&self.state_dir)
        })
    }

    /// Forgets them: the enrollment is complete.
    pub fn forget_pending(&self) {
        if let Err(error) = remove_folder_if_there(&self.state_dir.join(PENDING)) {
            tracing::warn!(%error, "The keys of a finished enrollment could not be removed");
        }
    }

    fn read(&self, path: &Path, what: &'static str) -> Result<Vec<u8>, IdentityError> {
        match fs::read(path) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            Ok(_) => Err(self.damaged(what)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.damaged(what)),
            Err(source) => Err(IdentityError::Io { path: path.to_owned(), source }),
        }
    }

    fn damaged(&self, what: &'static str) -> IdentityError {
        IdentityError::Damaged { folder: self.state_dir.join(LINK), what }
    }

    fn attempt(&self, path: &Path, act: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), IdentityError> {
        act(path).map_err(|source| IdentityError::Io { path: path.to_owned(), source })
    }

    /// Former identities and those of writes that were cut. What cannot be removed now is at the next time.
    fn clear_up(&self, keep: &str) {
        let Ok(entries) = fs::read_dir(&self.state_dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_former = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name != keep);
            if is_former && let Err(error) = remove_folder_if_there(&entry.path()) {
                tracing::warn!(%error, "A former identity could not be removed");
            }
        }
    }
}

fn anchor(number: u32) -> String {
    format!("anchor-{number}.der")
}

/// Writes a new folder with these files, for the owner only, and brings all of it to the disk.
fn write_folder(folder: &Path, files: &[(String, &[u8])]) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    for (name, bytes) in files {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove_file_if_there(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(path))
}

fn remove_folder_if_there(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_dir_all(path))
}

fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn identity(byte: u8) -> Identity {
        Identity {
            device: DeviceId::from_bytes([byte; 16]),
            deployment: DeploymentId::from_bytes([2; 16]),
            host: "connector.example.com".into(),
            session_port: 8443,
            key: Zeroizing::new(vec![byte; 40]),
            certificate: vec![byte; 50],
            anchors: vec![vec![3; 60], vec![4; 60]],
            secret: DeviceSecret::from_seed([byte; 32]),
            cache_key: Zeroizing::new([byte; 32]),
        }
    }

    #[track_caller]
    fn same(left: &Identity, right: &Identity) {
        let parts = |i: &Identity| {
            let keys = (
                i.key.to_vec(),
                i.certificate.clone(),
                i.anchors.clone(),
                *i.secret.as_bytes(),
                *i.cache_key,
            );
            (i.device, i.deployment, i.host.clone(), i.session_port, keys)
        };
        assert_eq!(parts(left), parts(right));
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_identity_is_replaced_as_one_and_leaves_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let folder = IdentityFolder::new(&temp.path().join("state"));
        folder.prepare().unwrap();
        assert!(folder.load().unwrap().is_none());
        for round in [1, 2, 3] {
            folder.save(&identity(round), [round; 8]).unwrap();
            same(&folder.load().unwrap().unwrap(), &identity(round));
        }
        let state = temp.path().join("state");
        assert_eq!(names(&state), ["identity", "identity-0303030303030303"]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join("identity"))), (0o700, 0o700));
        for name in names(&state.join("identity")) {
            assert_eq!(mode(&state.join("identity").join(&name)), 0o600, "{name}");
        }
    }

    #[test]
    fn a_write_that_was_cut_changes_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let folder = IdentityFolder::new(temp.path());
        folder.save(&identity(1), [1; 8]).unwrap();
        // What a kill leaves: half a folder, and a link that was not yet put in place.
        fs::create_dir(temp.path().join("identity-00000000000000aa")).unwrap();
        fs::write(temp.path().join("identity-00000000000000aa").join(KEY), "half").unwrap();
        symlink("identity-00000000000000aa", temp.path().join("identity.new")).unwrap();
        same(&folder.load().unwrap().unwrap(), &identity(1));
        folder.save(&identity(2), [2; 8]).unwrap();
        same(&folder.load().unwrap().unwrap(), &identity(2));
        assert_eq!(names(temp.path()), ["identity", "identity-0202020202020202"]);
    }

    #[test]
    fn damage_is_told_and_never_a_panic() {
        let temp = tempfile::tempdir().unwrap();
        let folder = IdentityFolder::new(temp.path());
        for name in [IDS, KEY, CERTIFICATE, SECRET, CACHE_KEY, "anchor-1.der"] {
            for damage in ["missing", "empty"] {
                folder.save(&identity(1), [1; 8]).ok();
                let _ = fs::remove_dir_all(temp.path().join("identity-0101010101010101"));
                folder.save(&identity(1), [1; 8]).unwrap();
                let path = temp.path().join("identity").join(name);
                match damage {
                    "missing" => fs::remove_file(&path).unwrap(),
                    _ => fs::write(&path, "").unwrap(),
                }
                let error = folder.load().unwrap_err();
                assert_eq!(error.code(), "identity-damaged", "{name} {damage}");
                assert!(error.to_string().contains("enroll this device again"), "{error}");
            }
        }
    }

    #[test]
    fn keys_of_an_open_enrollment_are_kept() {
        let temp = tempfile::tempdir().unwrap();
        let folder = IdentityFolder::new(temp.path());
        assert!(folder.pending().is_none());
        for round in [1, 2] {
            let pending = Pending {
                key: Zeroizing::new(vec![round; 9]),
                request: vec![round; 10],
                secret: DeviceSecret::from_seed([round; 32]),
            };
            folder.keep_pending(&pending).unwrap();
            let read = folder.pending().unwrap();
            assert_eq!((read.key.to_vec(), read.request), (vec![round; 9], vec![round; 10]));
        }
        folder.forget_pending();
        assert!(folder.pending().is_none());
        assert!(names(temp.path()).is_empty());
    }

    #[test]
    fn an_identity_does_not_print_its_keys() {
        assert_eq!(format!("{:?}", identity(1)), format!("Identity({}, ..)", DeviceId::from_bytes([1; 16])));
    }
}
