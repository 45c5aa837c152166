//! Opening a meeting's address. It comes from strangers' calendars, so it is looked at as hostile: only `https`, as one
//! argument of one program, without a shell and without this program's own environment.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use joinery_model::JoinTarget;
use tokio::process::{Child, Command};
use url::{Host, Url};

/// Longer ones are made to overflow something.
const MAX_LENGTH: usize = 2000;

/// A program that opens an address either fails within this time or goes on by itself: some are the browser.
const PATIENCE: Duration = Duration::from_secs(5);

/// Variables that are this service's own business and not the browser's.
const OWN_VARIABLES: [&str; 10] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "CREDENTIALS_DIRECTORY",
    "STATE_DIRECTORY",
    "JOURNAL_STREAM",
    "INVOCATION_ID",
    "JOINERY_AGENT_CONFIG",
];

/// Why a meeting was not opened. The sentences hold nothing of the address.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is none that may be opened.
    #[error("the meeting's address is not opened: {0}")]
    Refused(&'static str),
    /// The meeting can only be dialled.
    #[error(
        "this meeting has a SIP address only; set sip_opener in the [agent] table to a program that dials it"
    )]
    SipOnly,
    /// The program that opens it cannot be started.
    #[error("{program} cannot be started: {source}; install it, or set {key} in the [agent] table")]
    NotStarted {
        /// Which one.
        program: String,
        /// The key that names it.
        key: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The program that opens it says that it could not.
    #[error("{program} could not open the meeting (it ended with {status}); is a browser installed?")]
    Failed {
        /// Which one.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
}

impl OpenError {
    /// A stable name for logs and scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "address-refused",
            Self::SipOnly => "sip-only",
            Self::NotStarted { .. } => "opener-not-started",
            Self::Failed { .. } => "opener-failed",
        }
    }

    /// Whether trying again may help without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// An address that may be opened, in the form in which it was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeAddress(String);

impl SafeAddress {
    /// Checks a web address. `http` becomes `https`: meetings are not joined in the clear.
    ///
    /// # Errors
    /// When it is anything else, or odd in a way that a meeting's address is not.
    pub fn of_url(text: &str) -> Result<Self, OpenError> {
        let refuse = |why| Err(OpenError::Refused(why));
        if text.len() > MAX_LENGTH {
            return refuse("it is too long");
        }
        // Before parsing: the parser drops some of these without a word.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse("it holds white space or control characters");
        }
        if text.contains('\\') {
            return refuse("it holds a backslash");
        }
        let Ok(mut url) = Url::parse(text) else { return refuse("it is not a web address") };
        if url.scheme() == "http" && url.set_scheme("https").is_err() {
            return refuse("it is not a web address");
        }
        if url.scheme() != "https" {
            return refuse("it does not start with https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it holds a user name");
        }
        match url.host() {
            // Written in other letters, it looks like somebody else's.
            Some(Host::Domain(host)) if !host_as_written(text).eq_ignore_ascii_case(host) => {
                refuse("its host is not written in plain letters")
            }
            Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) => Ok(Self(url.into())),
            None => refuse("it has no host"),
        }
    }

    /// Checks a SIP address, `user@host`.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn of_sip(text: &str) -> Result<Self, OpenError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,;?/%@:[]".contains(c);
        match text.split_once('@') {
            Some((user, host))
                if !user.is_empty()
                    && !host.is_empty()
                    && text.len() <= MAX_LENGTH
                    && text.chars().all(plain) =>
            {
                Ok(Self(format!("sip:{text}")))
            }
            Some(_) | None => Err(OpenError::Refused("its SIP address is not of the form user@host")),
        }
    }

    /// The address, to be handed over.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SafeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafeAddress(..)")
    }
}

/// The host between `//` and the next `/ ? # :`, as it stands in the text.
fn host_as_written(text: &str) -> &str {
    let after = text.split_once("//").map_or("", |(_, after)| after);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    authority.split(':').next().unwrap_or_default()
}

/// Opens addresses with the configured programs.
#[derive(Debug, Clone)]
pub struct Opener {
    web: Vec<String>,
    sip: Option<Vec<String>>,
}

impl Opener {
    /// `web` opens web addresses, `sip` dials; each is a program and its arguments.
    pub fn new(web: Vec<String>, sip: Option<Vec<String>>) -> Self {
        Self { web, sip }
    }

    /// Opens where `join` leads: the web address, or the SIP address where there is no other. `token` lets the opened
    /// window come to the front (`XDG_ACTIVATION_TOKEN`).
    ///
    /// # Errors
    /// When nothing was opened.
    pub async fn open(&self, join: &JoinTarget, token: Option<&str>) -> Result<(), OpenError> {
        let (argv, address, key) = match (&join.url, &join.sip, &self.sip) {
            (Some(url), _, _) => (&self.web, SafeAddress::of_url(url)?, "opener"),
            (None, Some(sip), Some(argv)) => (argv, SafeAddress::of_sip(sip)?, "sip_opener"),
            (None, Some(_), None) => return Err(OpenError::SipOnly),
            (None, None, _) => return Err(OpenError::Refused("there is none")),
        };
        let (program, arguments) =
            argv.split_first().ok_or(OpenError::Refused("no program to open it is set"))?;
        let mut command = Command::new(program);
        command.args(arguments).arg(address.as_str());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its own process group: stopping this agent must not take the browser with it.
        command.process_group(0);
        for name in OWN_VARIABLES {
            command.env_remove(name);
        }
        if let Some(token) = token {
            command.env("XDG_ACTIVATION_TOKEN", token).env("DESKTOP_STARTUP_ID", token);
        }
        let started = command.spawn();
        let child =
            started.map_err(|source| OpenError::NotStarted { program: program.clone(), key, source })?;
        wait_a_little(child, program).await
    }
}

/// Waits for a quick failure; what runs on is waited for in the background, so that it leaves no zombie.
async fn wait_a_little(mut child: Child, program: &str) -> Result<(), OpenError> {
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(OpenError::Failed { program: program.to_owned(), status }),
        Ok(Err(error)) => {
            tracing::warn!(%error, "It is not known how the program that opens meetings ended");
            Ok(())
        }
        Err(_) => {
            tokio::spawn(async move {
                if let Ok(status) = child.wait().await
                    && !status.success()
                {
                    tracing::info!(%status, "A program that was started to open a meeting has ended with an error");
                }
            });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn good_addresses_pass_as_they_are() {
        let check = |text: &str, want: &str| {
            assert_eq!(SafeAddress::of_url(text).unwrap().as_str(), want);
        };
        for text in [
            "https://zoom.us/j/123456789?pwd=aB%2Fc.1",
            "https://contoso.webex.com/meet/dana",
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22Tid%22%3a%22a%22%7d",
            "https://meet.google.com/abc-defg-hij",
            "https://xn--bcher-kva.example/meet",
            "https://10.0.0.7:8443/meet",
            "https://[::1]/meet#room",
        ] {
            check(text, text);
        }
        check("http://zoom.us/j/1", "https://zoom.us/j/1");
        check("HTTPS://Zoom.us/j/1", "https://zoom.us/j/1");
    }

    #[test]
    fn hostile_addresses_are_refused() {
        for text in [
            "",
            "zoom.us/j/1",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
            "smb://host/share",
            "ftp://host/x",
            "vscode://x/y",
            "--help",
            "https://",
            "https:///j/1",
            "https://zoom.us@evil.example/j/1",
            "https://user:pw@zoom.us/j/1",
            "https://zoom.us/j/1 --flag",
            "https://zoom.us/j/1\n",
            "\thttps://zoom.us/j/1",
            "https://zo\tom.us/j/1",
            "https://zoom.us/j/1\u{7f}",
            "https://zoom.us/\u{a0}j",
            "https://zoom.us\\@evil.example/",
            "https://zооm.us/j/1",
            "https://zoom。us/j/1",
            "https://%7aoom.us/j/1",
            &format!("https://zoom.us/{}", "a".repeat(MAX_LENGTH)),
        ] {
            let error = SafeAddress::of_url(text).unwrap_err();
            assert_eq!(error.code(), "address-refused", "{text}");
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn sip_addresses() {
        assert_eq!(SafeAddress::of_sip("123@zoomcrc.com").unwrap().as_str(), "sip:123@zoomcrc.com");
        for text in ["", "x", "@x", "x@", "a b@x", "a@x\n", "a@x\"", "a@x<", "ü@x"] {
            assert!(SafeAddress::of_sip(text).is_err(), "{text}");
        }
    }

    fn target(url: Option<&str>, sip: Option<&str>) -> JoinTarget {
        JoinTarget {
            url: url.map(str::to_owned),
            sip: sip.map(str::to_owned),
            provider: "zoom".into(),
            meeting_id: None,
            passcode: None,
        }
    }

    /// A program in `folder` that writes down its arguments and its activation token, then ends with `code`.
    fn program(folder: &std::path::Path, code: u8) -> Vec<String> {
        let path = folder.join(format!("open-{code}"));
        let text = format!(
            "#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done > {0}/said\necho \"$XDG_ACTIVATION_TOKEN|$NOTIFY_SOCKET\" >> {0}/said\nexit {code}\n",
            folder.display()
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        vec![path.display().to_string(), "--new".into()]
    }

    #[tokio::test]
    async fn the_address_is_one_argument_and_nothing_else_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let said = || std::fs::read_to_string(folder.path().join("said")).unwrap();
        let opener = Opener::new(program(folder.path(), 0), Some(program(folder.path(), 0)));
        let url = "https://zoom.us/j/1?a=$(id)&b=`id`;id|'id'";
        opener.open(&target(Some(url), Some("1@zoomcrc.com")), Some("token-1")).await.unwrap();
        assert_eq!(said(), "--new\nhttps://zoom.us/j/1?a=$(id)&b=`id`;id|%27id%27\ntoken-1|\n");
        opener.open(&target(None, Some("1@zoomcrc.com")), None).await.unwrap();
        assert_eq!(said(), "--new\nsip:1@zoomcrc.com\n|\n");
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_the_address() {
        let folder = tempfile::tempdir().unwrap();
        let check = async |opener: Opener, target: JoinTarget, code: &str, word: &str| {
            let error = opener.open(&target, None).await.unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(word) && !error.to_string().contains("canary"), "{error}");
        };
        let url = target(Some("https://zoom.us/j/canary"), None);
        check(Opener::new(program(folder.path(), 3), None), url.clone(), "opener-failed", "exit status: 3")
            .await;
        check(
            Opener::new(vec!["/no/such/opener".into()], None),
            url.clone(),
            "opener-not-started",
            "install it",
        )
        .await;
        check(Opener::new(vec![], None), url, "address-refused", "no program").await;
        let sip = target(None, Some("canary@x.example"));
        check(Opener::new(program(folder.path(), 0), None), sip, "sip-only", "sip_opener").await;
        check(Opener::new(program(folder.path(), 0), None), target(None, None), "address-refused", "none")
            .await;
        let file = target(Some("file:///canary"), None);
        check(Opener::new(program(folder.path(), 0), None), file, "address-refused", "https").await;
    }
}
