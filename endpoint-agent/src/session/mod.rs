//! The connection to the connector: opens sessions for as long as the program runs, takes over what they bring, and keeps
//! the certificate fresh.
//!
//! One task owns the holdings, so that a change is made durable and acknowledged in the order in which it came. While no
//! session runs it goes on erasing what may not be kept.

mod backoff;
mod conversation;
mod renewal;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_daemon::{Shutdown, now, random_unit};
use joinery_transport::{GoodbyeReason, Refusal, TransportError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::board::Board;
use crate::holdings::{Holdings, View};
use crate::identity::{Identity, IdentityFolder};
use crate::listing::Connection;
pub use backoff::Backoff;
pub use renewal::Renewal;
pub use state::{Enrolled, LinkState, Problem};

/// How often rows are looked through for what may not be kept, and a failed write is tried again.
const TEND_EVERY: Duration = Duration::from_secs(30);

/// How often a waiting agent looks whether it has been enrolled (anew).
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Code of a device that has no identity yet.
const NOT_ENROLLED: &str = "not-enrolled";

/// Clocks that differ by more make buttons come at the wrong time.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// What the task works with.
pub struct Session {
    /// Where identity and cache are kept.
    state_dir: PathBuf,
    /// Opened lists, for everybody else.
    views: watch::Sender<Arc<View>>,
    /// How the connection is, for everybody else.
    link: watch::Sender<Arc<LinkState>>,
    /// What is shown, for the connector.
    board: watch::Receiver<Arc<Board>>,
    /// Names of the drivers that are on, for the connector.
    drivers: Vec<String>,
    /// Who this device is, once it is enrolled.
    device: Option<Device>,
}

/// Why a session, or the attempt at one, has ended.
enum End {
    /// The program stops.
    Stopped,
    /// The wire, or the connector's refusal.
    Failed(TransportError),
    /// The connector ended it in order, to spread its load.
    Ended,
    /// The connector said goodbye.
    Goodbye(GoodbyeReason),
    /// What came did not fit what is held.
    StartOver,
    /// There is a new certificate, or another identity: begin again with it, at once.
    NewIdentity,
}

/// An identity and what belongs to it.
struct Device {
    identity: Identity,
    holdings: Holdings,
    renewal: Option<Renewal>,
}

impl Session {
    /// Reads identity and cache under `state_dir`: what the device held when it was last running is seen at once.
    pub fn open(
        state_dir: PathBuf,
        views: watch::Sender<Arc<View>>,
        link: watch::Sender<Arc<LinkState>>,
        board: watch::Receiver<Arc<Board>>,
        drivers: Vec<String>,
    ) -> Self {
        let mut session = Self { state_dir, views, link, board, drivers, device: None };
        session.look_for_identity();
        session
    }

    /// Keeps sessions open until `stop`.
    pub async fn run(mut self, stop: Shutdown) {
        let folder = IdentityFolder::new(&self.state_dir);
        let mut backoff = Backoff::default();
        while !stop.is_triggered() {
            let Some(mut device) = self.device.take() else {
                self.rest(LOOK_EVERY, &folder, None, &stop).await;
                self.look_for_identity();
                continue;
            };
            let begun = Instant::now();
            let end = self.attempt(&mut device, &folder, &stop).await;
            device.holdings.end_session(now()).await;
            self.publish(&device.holdings);
            let pause = self.conclude(end, &mut device, begun.elapsed(), &mut backoff).await;
            self.rest(pause, &folder, Some(&mut device), &stop).await;
            self.device = Some(device);
            self.look_for_identity();
        }
    }

    /// Who this device is by what is on the disk now.
    fn look_for_identity(&mut self) {
        let former = self.device.take();
        match IdentityFolder::new(&self.state_dir).load() {
            Ok(Some(identity)) => self.device = Some(self.take_identity(identity, former)),
            Ok(None) => {
                let message =
                    "this device is not enrolled; run `joinery-agent enroll` with an activation code";
                self.set_problem(Problem::new(NOT_ENROLLED, message));
            }
            Err(error) => self.set_problem(Problem::new(error.code(), &error)),
        }
    }

    /// What belongs to an identity; of the same one, what is open already.
    fn take_identity(&self, identity: Identity, former: Option<Device>) -> Device {
        let renewal = match Renewal::of(&identity.certificate, random_unit()) {
            Ok(renewal) => Some(renewal),
            Err(error) => {
                self.set_problem(Problem::new(error.code(), error));
                None
            }
        };
        let device = match former {
            Some(former)
                if former.identity.device == identity.device
                    && former.identity.cache_key == identity.cache_key =>
            {
                let same_certificate = former.identity.certificate == identity.certificate;
                let renewal = if same_certificate { former.renewal } else { renewal };
                Device { identity, holdings: former.holdings, renewal }
            }
            Some(_) | None => {
                let holdings = Holdings::open(&self.state_dir, &identity);
                Device { identity, holdings, renewal }
            }
        };
        self.publish(&device.holdings);
        let enrolled = Enrolled {
            device: device.identity.device,
            deployment: device.identity.deployment,
            host: device.identity.host.clone(),
            port: device.identity.session_port,
            certificate: device.renewal,
        };
        self.update_link(|link| {
            link.enrolled = Some(enrolled);
            if link.problem.as_ref().is_some_and(|problem| problem.code == NOT_ENROLLED) {
                link.problem = None;
            }
        });
        device
    }

    /// What follows from the end of a session, and how long to wait before the next.
    async fn conclude(
        &mut self,
        end: End,
        device: &mut Device,
        lasted: Duration,
        backoff: &mut Backoff,
    ) -> Duration {
        let (problem, unwanted, revoked) = match end {
            End::Stopped => return Duration::ZERO,
            End::NewIdentity => {
                backoff.reset();
                return Duration::ZERO;
            }
            End::Ended => (Problem::new("session-ended", "the connector ended the session"), false, false),
            End::StartOver => {
                device.holdings.start_over();
                let message =
                    "what the connector sent did not follow on what is held; the session is begun anew";
                (Problem::new("list-gap", message), false, false)
            }
            End::Goodbye(reason) => goodbye(reason),
            End::Failed(error) => {
                let revoked = matches!(error, TransportError::Refused(Refusal::Revoked));
                (Problem::new(error.code(), &error), !error.is_retryable(), revoked)
            }
        };
        if revoked {
            tracing::error!(
                "This device was revoked; its meetings and keys are erased. Enroll it again to use it"
            );
            device.holdings.forget_everything().await;
            self.publish(&device.holdings);
        }
        let problem = match device.renewal {
            Some(renewal) if renewal.has_expired(now()) => {
                let message = format!(
                    "this device's certificate expired at {}; enroll it again with a new code, or set its clock",
                    renewal.not_after
                );
                Problem::new("device-certificate-expired", message)
            }
            Some(_) | None => problem,
        };
        let pause = backoff.after(lasted, unwanted, random_unit());
        tracing::warn!(
            code = problem.code,
            again_in_s = pause.as_secs_f32(),
            "No session with the connector: {}",
            problem.message
        );
        self.set_problem(problem);
        pause
    }

    /// Waits, and meanwhile erases what may not be kept. Ends early for another identity.
    async fn rest(
        &self,
        pause: Duration,
        folder: &IdentityFolder,
        mut device: Option<&mut Device>,
        stop: &Shutdown,
    ) {
        let until = Instant::now() + pause;
        let mut tended = Instant::now();
        while Instant::now() < until {
            tokio::select! {
                () = sleep(LOOK_EVERY.min(until.saturating_duration_since(Instant::now()))) => {}
                () = stop.cancelled() => return,
            }
            if let Some(device) = device.as_deref_mut() {
                if !self.is_current(folder, &device.identity) {
                    return;
                }
                if tended.elapsed() >= TEND_EVERY {
                    tended = Instant::now();
                    device.holdings.tend(now()).await;
                    self.publish(&device.holdings);
                }
            }
        }
    }

    /// Whether the identity on the disk is still this one. What cannot be read now is looked at when it is needed.
    fn is_current(&self, folder: &IdentityFolder, identity: &Identity) -> bool {
        match folder.load() {
            Ok(Some(on_disk)) => {
                on_disk.device == identity.device && on_disk.certificate == identity.certificate
            }
            Ok(None) => false,
            Err(_) => true,
        }
    }

    fn came_online(&self, server_time: Timestamp) {
        let now = now();
        let ahead = now.duration_since(server_time);
        if ahead.abs() > CLOCK_TOLERANCE {
            let seconds = ahead.as_secs();
            tracing::warn!(
                ahead_s = seconds,
                "This device's clock differs from the connector's; buttons come at the wrong time until it is set"
            );
        }
        tracing::info!("Connected");
        self.update_link(|link| {
            link.connection = Connection::Online;
            link.since = Some(now);
            link.problem = None;
            link.clock_ahead = Some(ahead);
        });
    }

    fn set_problem(&self, problem: Problem) {
        let now = now();
        let news = self.update_link(|link| {
            if link.connection == Connection::Online || link.since.is_none() {
                link.since = Some(now);
            }
            link.connection = Connection::Offline;
            if problem.code == NOT_ENROLLED {
                link.enrolled = None;
            }
            link.problem = Some(problem.clone());
        });
        if news && problem.code == NOT_ENROLLED {
            tracing::warn!("{}", problem.message);
            self.views.send_replace(Arc::default());
        }
    }

    /// Changes the link's state. True if anything is different then.
    fn update_link(&self, change: impl FnOnce(&mut LinkState)) -> bool {
        self.link.send_if_modified(|link| {
            let mut fresh = LinkState::clone(link);
            change(&mut fresh);
            let news = **link != fresh;
            if news {
                *link = Arc::new(fresh);
            }
            news
        })
    }

    fn publish(&self, holdings: &Holdings) {
        let view = holdings.view();
        self.views.send_if_modified(|known| {
            let news = !Arc::ptr_eq(known, &view);
            if news {
                *known = view;
            }
            news
        });
    }
}

/// What a goodbye means: the problem, whether this device is unwanted, whether it is revoked.
fn goodbye(reason: GoodbyeReason) -> (Problem, bool, bool) {
    match reason {
        GoodbyeReason::Revoked => (Problem::new(Refusal::Revoked.code(), Refusal::Revoked), true, true),
        GoodbyeReason::Replaced => {
            let message =
                "another program uses this device's identity; stop it, or enroll one of the two anew";
            (Problem::new("session-replaced", message), true, false)
        }
        GoodbyeReason::Shutdown => {
            (Problem::new("connector-stopped", "the connector was stopped"), false, false)
        }
        GoodbyeReason::Slow => {
            (Problem::new("session-slow", "the connector found this device too slow"), false, false)
        }
        GoodbyeReason::Other => {
            (Problem::new("session-ended", "the connector ended the session"), false, false)
        }
    }
}
