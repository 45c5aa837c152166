//! The connection to the connector: opens sessions for as long as the program runs, takes over what they bring, and keeps
//! the certificate fresh.
//!
//! One task owns the holdings, so that a change is made durable and acknowledged in the order in which it came. While no
//! session runs it goes on erasing what may not be kept.

mod backoff;
mod renewal;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_daemon::{Shutdown, now, random, random_unit};
use joinery_model::RowId;
use joinery_pki::device_request;
use joinery_transport::{
    AgentLink, DeviceSettings, DeviceTls, FromAgent, GoodbyeReason, Have, Hello, Refusal, RenewRequest,
    SessionClient, ToAgent, TransportError, connect,
};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use zeroize::Zeroizing;

use crate::board::Board;
use crate::holdings::{Answer, Delta, HeldGrant, Holdings, Settings, View};
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

    /// One session, from connecting to its end.
    async fn attempt(&mut self, device: &mut Device, folder: &IdentityFolder, stop: &Shutdown) -> End {
        let identity = &device.identity;
        let tls = DeviceTls {
            certificate: identity.certificate.clone(),
            key: identity.key.clone(),
            anchors: identity.anchors.clone(),
        };
        let hello = self.hello(&mut device.holdings);
        let opening = async {
            let client = connect(&identity.host, identity.session_port, &tls).await?;
            let link = client.open(hello).await?;
            Ok((client, link))
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = stop.cancelled() => return End::Stopped,
        };
        match opened {
            Ok((client, link)) => self.converse(device, folder, client, link, stop).await,
            Err(error) => End::Failed(error),
        }
    }

    fn hello(&self, holdings: &mut Holdings) -> Hello {
        let ledger = holdings.begin_session(now());
        let have = ledger.mailboxes.iter().filter_map(|(mailbox, held)| {
            let epochs = held.grants.keys().copied().collect();
            Some(Have { mailbox: *mailbox, store_id: held.store_id?, revision: held.revision, epochs })
        });
        Hello {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            have: have.collect(),
            now: now(),
            drivers: self.drivers.clone(),
        }
    }

    /// A session that is open.
    async fn converse(
        &mut self,
        device: &mut Device,
        folder: &IdentityFolder,
        client: SessionClient,
        mut link: AgentLink,
        stop: &Shutdown,
    ) -> End {
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        let mut tend = interval(TEND_EVERY);
        tend.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reported: Option<(Vec<RowId>, usize)> = None;
        let mut welcomed = false;
        loop {
            let answers = tokio::select! {
                told = link.recv() => match told {
                    Ok(Some(ToAgent::RenewNow)) => {
                        if let Some(renewal) = &mut device.renewal {
                            renewal.hasten(now());
                        }
                        Vec::new()
                    }
                    Ok(Some(ToAgent::Goodbye(reason))) => return End::Goodbye(reason),
                    Ok(Some(told)) => {
                        welcomed |= matches!(told, ToAgent::Welcome { .. });
                        self.take(&mut device.holdings, told).await
                    }
                    Ok(None) => return End::Ended,
                    Err(error) => return End::Failed(error),
                },
                _ = tend.tick() => {
                    if !self.is_current(folder, &device.identity) {
                        return End::NewIdentity;
                    }
                    device.holdings.tend(now()).await
                }
                changed = self.board.changed(), if welcomed => {
                    if changed.is_err() {
                        return End::Stopped;
                    }
                    Vec::new()
                }
                () = &mut stopped => return End::Stopped,
            };
            self.publish(&device.holdings);
            if answers.contains(&Answer::StartOver) {
                return End::StartOver;
            }
            for answer in answers {
                if let Some(message) = message(answer)
                    && link.send(message).await.is_err()
                {
                    // Why is told at the receiving end.
                    break;
                }
            }
            if welcomed {
                self.report(&mut link, &mut reported).await;
                if self.renew_if_due(device, folder, &client).await {
                    return End::NewIdentity;
                }
            }
        }
    }

    /// Takes over one message.
    async fn take(&self, holdings: &mut Holdings, told: ToAgent) -> Vec<Answer> {
        match told {
            ToAgent::Welcome { server_time, store_id, settings } => {
                self.came_online(server_time);
                holdings.welcome(store_id, used_settings(settings)).await
            }
            ToAgent::Grant { mailbox, tenant, epoch, grant, address } => {
                holdings.grant(mailbox, epoch, HeldGrant { tenant, sealed: grant, address }).await
            }
            ToAgent::Snapshot { mailbox, revision, rows } => {
                tracing::info!(%mailbox, %revision, meetings = rows.len(), "Whole meeting list received");
                holdings.snapshot(mailbox, revision, rows, now()).await
            }
            ToAgent::Delta { mailbox, from, to, upserts, removes } => {
                let (changed, gone) = (upserts.len(), removes.len());
                tracing::info!(%mailbox, revision = %to, changed, gone, "Meeting list changed");
                holdings.delta(mailbox, Delta { from, to, upserts, removes }, now()).await
            }
            ToAgent::Synced { mailbox, revision } => holdings.synced(mailbox, revision, now()).await,
            ToAgent::RenewNow | ToAgent::Goodbye(_) => Vec::new(),
        }
    }

    /// Tells the connector what is shown, where that has changed.
    async fn report(&mut self, link: &mut AgentLink, reported: &mut Option<(Vec<RowId>, usize)>) {
        let board = Arc::clone(&self.board.borrow_and_update());
        let fresh = (board.shown.entries().map(|entry| entry.id).collect::<Vec<_>>(), board.entries.len());
        if reported.as_ref() == Some(&fresh) {
            return;
        }
        let listed = u32::try_from(fresh.1).unwrap_or(u32::MAX);
        if link.send(FromAgent::Report { shown: fresh.0.clone(), listed }).await.is_ok() {
            *reported = Some(fresh);
        }
    }

    /// True if there is a new certificate.
    async fn renew_if_due(
        &self,
        device: &mut Device,
        folder: &IdentityFolder,
        client: &SessionClient,
    ) -> bool {
        let Some(renewal) = device.renewal.as_mut().filter(|renewal| renewal.due <= now()) else {
            return false;
        };
        match renew(&device.identity, folder, client).await {
            Ok(()) => {
                tracing::info!("The device certificate was renewed");
                true
            }
            Err(problem) => {
                renewal.failed(now());
                tracing::warn!(
                    code = problem.code, again = %renewal.due, expires = %renewal.not_after,
                    "The device certificate could not be renewed: {}", problem.message
                );
                let renewal = *renewal;
                self.update_link(|link| {
                    if let Some(enrolled) = &mut link.enrolled {
                        enrolled.certificate = Some(renewal);
                    }
                });
                false
            }
        }
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

fn used_settings(settings: DeviceSettings) -> Settings {
    let DeviceSettings { kind, button_lead, past, future } = settings;
    Settings { kind, button_lead, past, future }
}

fn message(answer: Answer) -> Option<FromAgent> {
    match answer {
        Answer::Ack(mailbox, revision) => Some(FromAgent::Ack { mailbox, revision }),
        Answer::Nack(mailbox, revision, code) => {
            Some(FromAgent::Nack { mailbox, revision, code: code.to_owned() })
        }
        Answer::NeedGrant(mailbox, epoch) => Some(FromAgent::NeedGrant { mailbox, epoch }),
        Answer::StartOver => None,
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

/// Asks for a certificate for a new key and puts both in place.
async fn renew(identity: &Identity, folder: &IdentityFolder, client: &SessionClient) -> Result<(), Problem> {
    let (key, csr) = device_request().map_err(|error| Problem::new(error.code(), error))?;
    let answer = client.renew(RenewRequest { csr, hpke: None }).await;
    let renewed = answer.map_err(|error| Problem::new(error.code(), error))?;
    let fresh = Identity {
        key: Zeroizing::new(key.to_vec()),
        certificate: renewed.certificate,
        anchors: if renewed.anchors.is_empty() { identity.anchors.clone() } else { renewed.anchors },
        ..identity.clone()
    };
    let tag = random().map_err(|error| Problem::new(error.code(), error))?;
    let folder = folder.clone();
    let saved = tokio::task::spawn_blocking(move || folder.save(&fresh, tag)).await;
    match saved {
        Ok(saved) => saved.map_err(|error| Problem::new(error.code(), error)),
        Err(_) => Err(Problem::new("identity-interrupted", "writing the new certificate was interrupted")),
    }
}
