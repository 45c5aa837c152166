//! Enrolling this device: makes its keys, proves the code, and puts what it gets in place.

use std::path::Path;

use joinery_daemon::{NoRandomness, random};
use joinery_pki::{ActivationCode, PkiError, device_request};
use joinery_seal::DeviceSecret;
use joinery_transport::{EnrollError, TransportError};
use zeroize::Zeroizing;

use crate::identity::{Identity, IdentityError, IdentityFolder, Pending};

/// The enrollment port unless another is given.
pub const DEFAULT_PORT: u16 = 8442;

/// Where and with which code.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Name or address of the connector.
    pub host: String,
    /// Its port for enrollment.
    pub port: u16,
    /// What the operator gave out.
    pub code: ActivationCode,
}

/// An address or URL that cannot be meant. Repeats nothing that may be a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Not a URL of an invitation.
    #[error("this is not an enrollment URL; copy it whole, like joinery://HOST:8442/enroll/CODE")]
    Url,
    /// Not an address.
    #[error("`{0}` is not the address of a connector; give HOST or HOST:8442")]
    Address(String),
    /// Not a code.
    #[error("the activation code {0}")]
    Code(joinery_pki::CodeError),
}

impl InvitationError {
    /// A stable name for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Url => "enroll-url",
            Self::Address(_) => "enroll-address",
            Self::Code(_) => "enroll-code-form",
        }
    }

    /// Never: it has to be given differently.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

impl Invitation {
    /// Reads `joinery://HOST:8442/enroll/CODE`.
    ///
    /// # Errors
    /// When it is another kind of text.
    pub fn of_url(text: &str) -> Result<Self, InvitationError> {
        let rest = text.trim().strip_prefix("joinery://").ok_or(InvitationError::Url)?;
        let (address, code) = rest.split_once("/enroll/").ok_or(InvitationError::Url)?;
        let (host, port) = address_of(address).ok_or(InvitationError::Url)?;
        let code = code.trim_end_matches('/').parse().map_err(InvitationError::Code)?;
        Ok(Self { host, port, code })
    }

    /// Reads `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, and a code as a person types it.
    ///
    /// # Errors
    /// When one of them cannot be meant.
    pub fn of_parts(address: &str, code: &str) -> Result<Self, InvitationError> {
        let (host, port) = address_of(address).ok_or_else(|| InvitationError::Address(address.to_owned()))?;
        Ok(Self { host, port, code: code.parse().map_err(InvitationError::Code)? })
    }
}

fn address_of(text: &str) -> Option<(String, u16)> {
    let text = text.trim();
    // An IPv6 address without brackets has no port.
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some((text.to_owned(), DEFAULT_PORT));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok().filter(|port| *port != 0))?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/?#@\\".contains(c);
    (!host.is_empty() && !host.contains(odd)).then(|| (host.to_owned(), port))
}

/// Why this device was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrollFailure {
    /// It is already.
    #[error(
        "this device is enrolled already, as {0}; add --again to replace that, which also drops its meeting list"
    )]
    Already(joinery_model::DeviceId),
    /// Keys cannot be made.
    #[error(transparent)]
    Keys(#[from] PkiError),
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// They cannot be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The connector was not reached, or the connection broke. The code is still good: an answer that was lost is
    /// repeated for the same keys.
    #[error("{0}; check the address and the network, then run the same command again")]
    Interrupted(TransportError),
    /// The connector refuses, or is another one.
    #[error(transparent)]
    Enroll(EnrollError),
    /// The device was enrolled, but what it got could not be kept.
    #[error(
        "the connector accepted this device, but what it sent could not be kept: {0}; put that right and run the same command again"
    )]
    NotKept(IdentityError),
}

impl EnrollFailure {
    /// A stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Already(_) => "enrolled-already",
            Self::Keys(error) => error.code(),
            Self::NoRandomness(error) => error.code(),
            Self::Identity(error) | Self::NotKept(error) => error.code(),
            Self::Interrupted(error) => error.code(),
            Self::Enroll(error) => error.code(),
        }
    }

    /// Whether the same call may succeed later as it is.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Enroll(error) => error.is_retryable(),
            Self::Interrupted(_) | Self::NotKept(_) => true,
            Self::Already(_) | Self::Keys(_) | Self::NoRandomness(_) | Self::Identity(_) => false,
        }
    }
}

impl From<EnrollError> for EnrollFailure {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Transport(error) if error.is_retryable() => Self::Interrupted(error),
            error => Self::Enroll(error),
        }
    }
}

/// Enrolls the device whose state is under `state_dir`, calling it `name`. A daemon that runs there takes the new identity
/// by itself. `again` allows to replace an identity that is there.
///
/// # Errors
/// When anything is in the way; a former identity then still counts.
pub async fn enroll(
    state_dir: &Path,
    invitation: &Invitation,
    name: &str,
    again: bool,
) -> Result<Identity, EnrollFailure> {
    crate::run::install_crypto();
    let folder = IdentityFolder::new(state_dir);
    folder.prepare()?;
    // A damaged identity is replaced: to enroll again is what its sentence asks for.
    if let Ok(Some(former)) = folder.load()
        && !again
    {
        return Err(EnrollFailure::Already(former.device));
    }
    // Keys of an attempt whose answer was lost are used again: the connector repeats the answer for the same request.
    let pending = match folder.pending() {
        Some(pending) => pending,
        None => {
            let (key, request) = device_request()?;
            let pending = Pending {
                key: Zeroizing::new(key.to_vec()),
                request,
                secret: DeviceSecret::from_seed(random()?),
            };
            folder.keep_pending(&pending)?;
            pending
        }
    };
    let Invitation { host, port, code } = invitation;
    let public = pending.secret.public();
    let enrolled = joinery_transport::enroll(host, *port, code, &pending.request, public, name).await?;
    let identity = Identity {
        device: enrolled.device,
        deployment: enrolled.deployment,
        host: host.clone(),
        session_port: enrolled.session_port,
        key: pending.key,
        certificate: enrolled.certificate,
        anchors: enrolled.anchors,
        secret: pending.secret,
        cache_key: Zeroizing::new(random()?),
    };
    folder.save(&identity, random()?).map_err(EnrollFailure::NotKept)?;
    folder.forget_pending();
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invitations() {
        let check = |read: Result<Invitation, InvitationError>, want: &str| {
            let got = match read {
                Ok(read) => format!("{}|{}|{}", read.host, read.port, read.code),
                Err(error) => error.code().to_owned(),
            };
            assert_eq!(got, want);
        };
        let code = "0123 4567 8901 2345";
        let parts = |address: &str| Invitation::of_parts(address, "0123-4567-8901-2345");
        check(parts("connector.example.com"), &format!("connector.example.com|8442|{code}"));
        check(parts("connector.example.com:9000"), &format!("connector.example.com|9000|{code}"));
        check(parts("10.0.0.7:1"), &format!("10.0.0.7|1|{code}"));
        check(parts("::1"), &format!("::1|8442|{code}"));
        check(parts("[::1]"), &format!("::1|8442|{code}"));
        check(parts("[::1]:9000"), &format!("::1|9000|{code}"));
        for bad in [
            "",
            ":8442",
            "a:b",
            "a:0",
            "a:70000",
            "a b",
            "https://a",
            "a/b",
            "u@a",
            "[a]:1",
            "[::1]x",
            "[::1",
        ] {
            check(parts(bad), "enroll-address");
        }
        check(Invitation::of_parts("a", "0123"), "enroll-code-form");

        let url = |text: &str| Invitation::of_url(text);
        check(url("joinery://c.example:8442/enroll/0123456789012345"), &format!("c.example|8442|{code}"));
        check(url(" joinery://[::1]:9/enroll/0123456789012345/ "), &format!("::1|9|{code}"));
        for bad in
            ["", "https://c/enroll/0123456789012345", "joinery://c", "joinery:///enroll/0123456789012345"]
        {
            check(url(bad), "enroll-url");
        }
        check(url("joinery://c/enroll/01234567890123456"), "enroll-code-form");
    }

    #[test]
    fn a_wrong_url_is_not_repeated() {
        let error = Invitation::of_url("joinery//c:8442/enroll/0123456789012345").unwrap_err();
        assert!(!error.to_string().contains("0123"));
        let error = Invitation::of_parts("c", "0123456789012345x").unwrap_err();
        assert!(!error.to_string().contains("0123"), "{error}");
    }
}
