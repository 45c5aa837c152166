//! Protobuf to the words of the domain and back. Unknown message kinds give `None`; a known kind with contents that it
//! cannot have is an error that says which.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use joinery_model::{DeviceKind, Epoch, MailboxId, Revision, RowId, StoreId, TenantName};
use joinery_proto::v1;
use joinery_proto::v1::agent_message::Kind as AgentKind;
use joinery_seal::{Day, DevicePublic, Sealed, SealedGrant, SealedRow};

use crate::{DeviceSettings, FromAgent, GoodbyeReason, Have, Hello, RenewRequest, Renewed, ToAgent};

/// What cannot be. Says which contents of which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The version of the protocol that this program speaks.
const PROTOCOL: u32 = 1;

/// Mailboxes that one device may hold. One is the rule.
const MAX_HAVE: usize = 256;

/// Length of short texts that a device tells about itself.
const MAX_WORD: usize = 64;

const MAX_DRIVERS: usize = 16;

/// A text from the other side that may reach logs and terminals: without control characters and not long.
pub(crate) fn printable(text: &str, max: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(max).collect()
}

pub(crate) fn bytes(of: &impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(of.as_ref())
}

pub(crate) fn mailbox(bytes: &[u8]) -> Result<MailboxId, Malformed> {
    MailboxId::from_slice(bytes).map_err(|_| Malformed("a mailbox id of another length"))
}

pub(crate) fn store_id(bytes: &[u8]) -> Result<StoreId, Malformed> {
    StoreId::from_slice(bytes).map_err(|_| Malformed("a store id of another length"))
}

pub(crate) fn row_ids(ids: &[Bytes]) -> Result<Vec<RowId>, Malformed> {
    let read = |id: &Bytes| RowId::from_slice(id).map_err(|_| Malformed("a meeting id of another length"));
    ids.iter().map(read).collect()
}

pub(crate) fn time(milliseconds: i64) -> Result<Timestamp, Malformed> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| Malformed("a time outside the calendar"))
}

pub(crate) fn to_row(row: SealedRow) -> v1::Row {
    v1::Row {
        id: bytes(row.id.as_bytes()),
        revision: row.revision.0,
        erase_after: row.erase_after.0,
        sealed: Bytes::from(row.sealed.into_bytes()),
    }
}

pub(crate) fn from_row(row: v1::Row) -> Result<SealedRow, Malformed> {
    Ok(SealedRow {
        id: RowId::from_slice(&row.id).map_err(|_| Malformed("a meeting id of another length"))?,
        revision: Revision(row.revision),
        erase_after: Day(row.erase_after),
        sealed: Sealed::from_stored(row.sealed.into()).map_err(|_| Malformed("a row that is not sealed"))?,
    })
}

pub(crate) fn from_grant(grant: v1::Grant) -> Result<ToAgent, Malformed> {
    let address = match grant.sealed_address.is_empty() {
        true => None,
        false => {
            let sealed = Sealed::from_stored(grant.sealed_address.into());
            Some(sealed.map_err(|_| Malformed("an address that is not sealed"))?)
        }
    };
    Ok(ToAgent::Grant {
        mailbox: mailbox(&grant.mailbox)?,
        tenant: TenantName::new(grant.tenant),
        epoch: Epoch(grant.epoch),
        grant: SealedGrant { encapsulated: grant.encapsulated.into(), ciphertext: grant.ciphertext.into() },
        address,
    })
}

pub(crate) fn to_settings(settings: &DeviceSettings) -> v1::Settings {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    v1::Settings {
        kind: settings.kind.to_string(),
        button_lead_s: seconds(settings.button_lead),
        past_s: seconds(settings.past),
        future_s: seconds(settings.future),
    }
}

pub(crate) fn from_settings(settings: Option<v1::Settings>) -> Result<DeviceSettings, Malformed> {
    let settings = settings.ok_or(Malformed("a welcome without settings"))?;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let kind = match settings.kind.as_str() {
        "room" => DeviceKind::Room,
        "desktop" => DeviceKind::Desktop,
        _ => return Err(Malformed("a kind of device that this version does not know")),
    };
    Ok(DeviceSettings {
        kind,
        button_lead: seconds(settings.button_lead_s),
        past: seconds(settings.past_s),
        future: seconds(settings.future_s),
    })
}

pub(crate) fn to_reason(reason: GoodbyeReason) -> &'static str {
    match reason {
        GoodbyeReason::Revoked => "revoked",
        GoodbyeReason::Replaced => "replaced",
        GoodbyeReason::Shutdown => "shutdown",
        GoodbyeReason::Slow => "slow",
        GoodbyeReason::Other => "other",
    }
}

pub(crate) fn from_reason(reason: &str) -> GoodbyeReason {
    match reason {
        "revoked" => GoodbyeReason::Revoked,
        "replaced" => GoodbyeReason::Replaced,
        "shutdown" => GoodbyeReason::Shutdown,
        "slow" => GoodbyeReason::Slow,
        _ => GoodbyeReason::Other,
    }
}

pub(crate) fn to_hello(hello: Hello) -> v1::Hello {
    let have = |have: Have| v1::Have {
        mailbox: bytes(have.mailbox.as_bytes()),
        store_id: bytes(have.store_id.as_bytes()),
        revision: have.revision.0,
        epochs: have.epochs.into_iter().map(|epoch| epoch.0).collect(),
    };
    v1::Hello {
        protocol: PROTOCOL,
        agent_version: hello.agent_version,
        have: hello.have.into_iter().map(have).collect(),
        now_ms: hello.now.as_millisecond(),
        health: Some(v1::Health { drivers: hello.drivers }),
    }
}

pub(crate) fn from_hello(hello: v1::Hello) -> Result<Hello, Malformed> {
    if hello.protocol < PROTOCOL {
        return Err(Malformed("a hello without the protocol's version"));
    }
    if hello.have.len() > MAX_HAVE {
        return Err(Malformed("a hello with too many mailboxes"));
    }
    let have = |have: v1::Have| {
        Ok(Have {
            mailbox: mailbox(&have.mailbox)?,
            store_id: store_id(&have.store_id)?,
            revision: Revision(have.revision),
            epochs: have.epochs.into_iter().map(Epoch).collect(),
        })
    };
    let drivers = hello.health.unwrap_or_default().drivers;
    Ok(Hello {
        agent_version: printable(&hello.agent_version, MAX_WORD),
        have: hello.have.into_iter().map(have).collect::<Result<_, _>>()?,
        now: time(hello.now_ms)?,
        drivers: drivers.iter().take(MAX_DRIVERS).map(|driver| printable(driver, MAX_WORD)).collect(),
    })
}

pub(crate) fn to_agent_message(message: FromAgent) -> v1::AgentMessage {
    let kind = match message {
        FromAgent::Ack { mailbox, revision } => {
            AgentKind::Ack(v1::Ack { mailbox: bytes(mailbox.as_bytes()), revision: revision.0 })
        }
        FromAgent::Nack { mailbox, revision, code } => {
            AgentKind::Nack(v1::Nack { mailbox: bytes(mailbox.as_bytes()), revision: revision.0, code })
        }
        FromAgent::NeedGrant { mailbox, epoch } => {
            AgentKind::NeedGrant(v1::NeedGrant { mailbox: bytes(mailbox.as_bytes()), epoch: epoch.0 })
        }
        FromAgent::Report { shown, listed } => AgentKind::Report(v1::Report {
            shown: shown.iter().map(|id| bytes(id.as_bytes())).collect(),
            listed,
        }),
    };
    v1::AgentMessage { kind: Some(kind) }
}

/// What an agent said after its `Hello`. `None`: a kind that is new, or not for the desk.
pub(crate) fn from_agent_message(message: v1::AgentMessage) -> Result<Option<FromAgent>, Malformed> {
    Ok(match message.kind {
        Some(AgentKind::Ack(ack)) => {
            Some(FromAgent::Ack { mailbox: mailbox(&ack.mailbox)?, revision: Revision(ack.revision) })
        }
        Some(AgentKind::Nack(nack)) => Some(FromAgent::Nack {
            mailbox: mailbox(&nack.mailbox)?,
            revision: Revision(nack.revision),
            code: printable(&nack.code, MAX_WORD),
        }),
        Some(AgentKind::NeedGrant(need)) => {
            Some(FromAgent::NeedGrant { mailbox: mailbox(&need.mailbox)?, epoch: Epoch(need.epoch) })
        }
        Some(AgentKind::Report(report)) => {
            Some(FromAgent::Report { shown: row_ids(&report.shown)?, listed: report.listed })
        }
        Some(AgentKind::Hello(_)) => return Err(Malformed("a second hello")),
        Some(AgentKind::Ping(_) | AgentKind::Pong(_)) | None => None,
    })
}

pub(crate) fn public_key(bytes: &[u8]) -> Result<DevicePublic, Malformed> {
    bytes.try_into().map(DevicePublic).map_err(|_| Malformed("a public key of another length"))
}

pub(crate) fn to_renew(request: RenewRequest) -> v1::RenewRequest {
    v1::RenewRequest {
        certificate_request: request.csr.into(),
        hpke_public_key: request.hpke.map(|key| bytes(&key.0)).unwrap_or_default(),
    }
}

pub(crate) fn from_renew(request: v1::RenewRequest) -> Result<RenewRequest, Malformed> {
    let hpke = match request.hpke_public_key.as_ref() {
        [] => None,
        key => Some(public_key(key)?),
    };
    Ok(RenewRequest { csr: request.certificate_request.into(), hpke })
}

pub(crate) fn to_renewed(renewed: Renewed) -> v1::RenewResponse {
    v1::RenewResponse {
        certificate: renewed.certificate.into(),
        trust_anchors: renewed.anchors.into_iter().map(Bytes::from).collect(),
    }
}

pub(crate) fn from_renewed(renewed: v1::RenewResponse) -> Renewed {
    Renewed {
        certificate: renewed.certificate.into(),
        anchors: renewed.trust_anchors.into_iter().map(Vec::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: FromAgent) {
        assert_eq!(from_agent_message(to_agent_message(message.clone())), Ok(Some(message)));
    }

    #[test]
    fn what_an_agent_says_survives_the_wire() {
        let mailbox = MailboxId::from_bytes([1; 16]);
        check(FromAgent::Ack { mailbox, revision: Revision(7) });
        check(FromAgent::Nack { mailbox, revision: Revision(7), code: "seal-refused".into() });
        check(FromAgent::NeedGrant { mailbox, epoch: Epoch(2) });
        check(FromAgent::Report { shown: vec![RowId::from_bytes([3; 16])], listed: 9 });
    }

    #[test]
    fn a_hello_survives_the_wire_and_is_made_printable() {
        let hello = Hello {
            agent_version: "0.1.0".into(),
            have: vec![Have {
                mailbox: MailboxId::from_bytes([1; 16]),
                store_id: StoreId::from_bytes([2; 16]),
                revision: Revision(3),
                epochs: vec![Epoch(1), Epoch(2)],
            }],
            now: "2026-11-24T09:00:00.123Z".parse().unwrap(),
            drivers: vec!["desktop".into()],
        };
        assert_eq!(from_hello(to_hello(hello.clone())), Ok(hello.clone()));
        let odd = Hello { agent_version: format!("\u{1b}[31m{}", "x".repeat(100)), ..hello };
        assert_eq!(from_hello(to_hello(odd)).unwrap().agent_version, format!("[31m{}", "x".repeat(60)));
    }

    #[test]
    fn what_cannot_be_is_refused_and_what_is_new_ignored() {
        let ack = v1::Ack { mailbox: Bytes::from_static(b"short"), revision: 1 };
        let message = v1::AgentMessage { kind: Some(AgentKind::Ack(ack)) };
        assert_eq!(from_agent_message(message), Err(Malformed("a mailbox id of another length")));
        assert_eq!(from_agent_message(v1::AgentMessage { kind: None }), Ok(None));
        let hello = v1::AgentMessage { kind: Some(AgentKind::Hello(v1::Hello::default())) };
        assert_eq!(from_agent_message(hello), Err(Malformed("a second hello")));
        assert!(from_hello(v1::Hello::default()).is_err());
        assert!(from_hello(v1::Hello { protocol: 9, ..v1::Hello::default() }).is_ok(), "a newer agent");
        let unsealed =
            v1::Row { id: bytes(&[0; 16]), sealed: Bytes::from_static(b"plain"), ..v1::Row::default() };
        assert!(from_row(unsealed).is_err());
    }

    #[test]
    fn goodbyes_survive_the_wire() {
        for reason in
            [GoodbyeReason::Revoked, GoodbyeReason::Replaced, GoodbyeReason::Shutdown, GoodbyeReason::Slow]
        {
            assert_eq!(from_reason(to_reason(reason)), reason);
        }
        assert_eq!(from_reason("moved"), GoodbyeReason::Other);
    }
}
