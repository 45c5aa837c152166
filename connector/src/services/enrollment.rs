//! The enrollment desk: who is invited, how often they may try, what they get.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use joinery_model::DeviceId;
use joinery_transport::{EnrollRefusal, EnrollRequest, Enrolled, EnrollmentDesk, Ticket};
use parking_lot::Mutex;

use super::rate::Rate;
use crate::app::App;
use crate::records::{DeploymentRecord, DeviceRecord, InvitationRecord, Outcome, Stored};

/// The desk.
pub struct Desk {
    app: Arc<App>,
    session_port: u16,
    rate: Mutex<Rate>,
}

impl Desk {
    /// A desk that sends devices to `session_port`.
    pub fn new(app: Arc<App>, session_port: u16) -> Self {
        let rate = Mutex::new(Rate::new(app.config.server.enrollments_per_minute));
        Self { app, session_port, rate }
    }

    async fn invitation(&self, lookup: &str) -> Result<Option<InvitationRecord>, EnrollRefusal> {
        self.app.records.find::<InvitationRecord>(lookup.as_bytes()).await.map_err(|error| {
            tracing::error!("An invitation cannot be read: {error}");
            EnrollRefusal::Unavailable
        })
    }

    async fn keep(&self, record: &impl Stored) -> Result<(), EnrollRefusal> {
        self.app.records.put(record).await.map_err(unavailable)
    }

    fn enrolled(&self, device: DeviceId, certificate: Vec<u8>) -> Enrolled {
        Enrolled {
            certificate,
            anchors: vec![self.app.authority.certificate().to_vec()],
            device,
            deployment: self.app.deployment,
            session_port: self.session_port,
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> EnrollRefusal {
    tracing::error!("A device is not enrolled: {error}");
    EnrollRefusal::Unavailable
}

#[async_trait]
impl EnrollmentDesk for Desk {
    /// Counts the try before anything is answered. An invitation that is unknown, over or burned is answered exactly
    /// like an open one, with a password that nobody has.
    async fn begin(&self, lookup: &str, remote: IpAddr) -> Result<Ticket, EnrollRefusal> {
        {
            let (mut rate, now) = (self.rate.lock(), Instant::now());
            if let Err(retry_after) = rate.take(remote, now) {
                if rate.tell(now) {
                    tracing::warn!(%remote, "Enrollment is tried too often; whoever does has to wait");
                }
                return Err(EnrollRefusal::TooMany { retry_after });
            }
        }
        let _one = self.app.registry.changes.lock().await;
        let found = self.invitation(lookup).await?.filter(|found| found.is_open(joinery_daemon::now()));
        let Some(mut invitation) = found else {
            // Takes as long as counting a try, and fails when that fails.
            self.keep(&DeploymentRecord { id: self.app.deployment }).await?;
            let random: [u8; 16] = joinery_daemon::random().map_err(unavailable)?;
            let nobody = joinery_pki::ActivationCode::from_random(random);
            return Ok(Ticket { id: lookup.to_owned(), password: nobody.password().to_owned().into() });
        };
        invitation.tries += 1;
        self.keep(&invitation).await?;
        Ok(Ticket { id: lookup.to_owned(), password: invitation.password.clone().into() })
    }

    /// Records the device and the answer together, then answers. The same request gets the same answer again.
    async fn finish(&self, ticket: Ticket, request: EnrollRequest) -> Result<Enrolled, EnrollRefusal> {
        let _one = self.app.registry.changes.lock().await;
        let now = joinery_daemon::now();
        let mut invitation = self
            .invitation(&ticket.id)
            .await?
            .filter(|found| now < found.expires)
            .ok_or(EnrollRefusal::Gone)?;
        invitation.tries = invitation.tries.saturating_sub(1);
        if let Some(outcome) = invitation.outcome.clone() {
            self.keep(&invitation).await?;
            if outcome.request_hash == request.request_hash {
                return Ok(self.enrolled(outcome.device, outcome.certificate));
            }
            tracing::warn!(device = %outcome.device, "An activation code was used a second time and refused");
            return Err(EnrollRefusal::Used);
        }
        let device = DeviceId::from_bytes(joinery_daemon::random().map_err(unavailable)?);
        let serial = joinery_daemon::random().map_err(unavailable)?;
        let issued =
            self.app.authority.issue_device(&request.csr, self.app.deployment, device, now, serial).map_err(
                |error| {
                    tracing::warn!("A device's certificate request is refused: {error}");
                    EnrollRefusal::BadRequest
                },
            )?;
        let record = DeviceRecord {
            id: device,
            name: request.name,
            kind: invitation.kind,
            mailbox: invitation.mailbox,
            hpke: request.hpke.0.to_vec(),
            enrolled: now,
            certificate_until: issued.not_after,
            revoked: None,
            last_seen: None,
        };
        invitation.outcome = Some(Outcome {
            request_hash: request.request_hash.to_vec(),
            device,
            certificate: issued.der.clone(),
        });
        self.app.records.put_both(&record, &invitation).await.map_err(unavailable)?;
        tracing::info!(%device, mailbox = %record.mailbox, kind = %record.kind, "Device enrolled");
        self.app.registry.put(record);
        Ok(self.enrolled(device, issued.der))
    }

    /// The try was counted when it began.
    async fn failed(&self, _ticket: Ticket) {
        tracing::warn!("A wrong activation code was tried, or a try was given up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::MailboxRecord;
    use crate::services::admin::{self, AdminRequest};
    use crate::testing::{self, TestApp};
    use joinery_seal::DevicePublic;

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    async fn desk() -> (TestApp, Desk) {
        let test = testing::app().await;
        let mailbox = testing::mailbox(&test.app, "room@contoso.example").await;
        let expires = joinery_daemon::now() + jiff::SignedDuration::from_hours(1);
        test.app.records.put(&testing::invitation(&mailbox, "123456", expires)).await.unwrap();
        let desk = Desk::new(Arc::clone(&test.app), 8443);
        (test, desk)
    }

    fn request(hash: u8) -> EnrollRequest {
        let (_, csr) = joinery_pki::device_request().unwrap();
        EnrollRequest { csr, hpke: DevicePublic([7; 32]), name: "Panel".to_owned(), request_hash: [hash; 32] }
    }

    fn is_right(ticket: &Ticket) -> bool {
        ticket.password.as_str() == "9999999999"
    }

    #[tokio::test]
    async fn five_tries_burn_an_invitation_and_nobody_can_tell() {
        let (test, desk) = desk().await;
        for _ in 0..5 {
            let ticket = desk.begin("123456", FROM).await.unwrap();
            assert!(is_right(&ticket));
            desk.failed(ticket).await;
        }
        let burned = desk.begin("123456", FROM).await.unwrap();
        assert!(!is_right(&burned) && burned.password.len() == 10);
        let written = async || test.app.store.records(DeploymentRecord::KIND).await.unwrap();
        let before = written().await;
        let unknown = desk.begin("000000", FROM).await.unwrap();
        assert_ne!(written().await, before, "it costs a write as well");
        assert!(!is_right(&unknown) && unknown.password.len() == 10);
    }

    #[tokio::test]
    async fn the_same_request_gets_the_same_answer_and_another_none() {
        let (test, desk) = desk().await;
        let first = desk.finish(desk.begin("123456", FROM).await.unwrap(), request(1)).await.unwrap();
        let again = desk.finish(desk.begin("123456", FROM).await.unwrap(), request(1)).await.unwrap();
        assert_eq!((first.device, &first.certificate), (again.device, &again.certificate));
        let other = desk.finish(desk.begin("123456", FROM).await.unwrap(), request(2)).await;
        assert!(matches!(other, Err(EnrollRefusal::Used)));
        let devices = test.app.registry.all();
        assert_eq!(devices.len(), 1);
        assert_eq!(devices[0].0.name, "Panel");
    }

    #[tokio::test]
    async fn an_invitation_that_ended_is_refused() {
        let (test, desk) = desk().await;
        let ticket = desk.begin("123456", FROM).await.unwrap();
        let mut invitation = test.app.records.all::<InvitationRecord>().await.unwrap().remove(0);
        invitation.expires = joinery_daemon::now();
        test.app.records.put(&invitation).await.unwrap();
        assert!(matches!(desk.finish(ticket, request(1)).await, Err(EnrollRefusal::Gone)));
        assert!(!is_right(&desk.begin("123456", FROM).await.unwrap()));
    }

    #[tokio::test]
    async fn nothing_comes_back_after_the_mailbox_was_removed() {
        let (test, desk) = desk().await;
        let ticket = desk.begin("123456", FROM).await.unwrap();
        let remove = AdminRequest::MailboxRemove { address: "room@contoso.example".to_owned() };
        let (removed, _) = tokio::join!(admin::answer(&test.app, remove), desk.finish(ticket, request(1)));
        removed.unwrap();
        let records = &test.app.records;
        assert!(records.all::<DeviceRecord>().await.unwrap().is_empty());
        assert!(records.all::<InvitationRecord>().await.unwrap().is_empty());
        assert!(records.all::<MailboxRecord>().await.unwrap().is_empty());
        assert!(test.app.registry.all().is_empty() && test.app.roster.all().is_empty());
    }

    #[tokio::test]
    async fn a_bad_request_does_not_make_a_device() {
        let (test, desk) = desk().await;
        let bad = EnrollRequest { csr: b"not a request".to_vec(), ..request(1) };
        let refused = desk.finish(desk.begin("123456", FROM).await.unwrap(), bad).await;
        assert!(matches!(refused, Err(EnrollRefusal::BadRequest)));
        assert!(test.app.registry.all().is_empty());
        assert!(desk.finish(desk.begin("123456", FROM).await.unwrap(), request(1)).await.is_ok());
    }
}
