//! How many rows are sealed and opened in a second, beside the bare cipher on the same bytes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use joinery_model::{
    Epoch, EventId, JoinTarget, MailboxId, Meeting, MeetingStatus, Person, Response, Revision, TenantName,
};
use joinery_seal::{ContentKey, KeyBinding, RowBinding, RowKind, open, seal};

use crate::invitations;
use crate::table::Table;

/// How long each of the four is measured.
const TIME: Duration = Duration::from_secs(2);

/// Rows between two looks at the clock.
const BATCH: u32 = 1_000;

/// Bytes of the associated data of a row: what the seal binds it to.
const ASSOCIATED: usize = 96;

/// Measures seal, open, and the cipher under them.
pub fn measure(table: &mut Table) {
    let plaintext = serde_json::to_vec(&meeting()).expect("a meeting as JSON");
    let tenant = TenantName::new("contoso");
    let key = ContentKey::from_bytes([7; 32]);
    let mailbox = MailboxId::from_bytes([1; 16]);
    let binding = RowBinding {
        key: KeyBinding { tenant: &tenant, mailbox, epoch: Epoch::FIRST },
        kind: RowKind::Meeting,
        id: &[2; 16],
        revision: Revision(3),
    };
    let sealed = seal(&key, &binding, nonce(0), &plaintext).expect("a row is sealed");
    // Header and tag do not go through the cipher.
    let padded = sealed.as_bytes().len() - 33;
    table.section(
        "Sealed rows",
        "seal and open beside bare AES-256-GCM with its key set up once, one thread, nonces given",
    );
    let on = format!("a meeting of {} bytes, padded to {padded}", plaintext.len());
    table.row("seal", per_second(|n| drop(seal(&key, &binding, nonce(n), &plaintext))), "rows/s", &on);

    let cipher = Aes256Gcm::new(&[7; 32].into());
    let mut buffer = vec![9; padded];
    let encrypt = |n: u32| {
        let tag = cipher.encrypt_inout_detached(
            &nonce(n).into(),
            &[5; ASSOCIATED],
            black_box(&mut buffer).as_mut_slice().into(),
        );
        black_box(tag.expect("it is short"));
    };
    table.row("bare cipher, encrypt", per_second(encrypt), "rows/s", &on);

    let opened = |_| drop(black_box(open(&key, &binding, black_box(&sealed)).expect("it opens")));
    table.row("open", per_second(opened), "rows/s", &on);

    let mut sealed = vec![9; padded];
    let tag = cipher
        .encrypt_inout_detached(&nonce(0).into(), &[5; ASSOCIATED], sealed.as_mut_slice().into())
        .expect("it is short");
    let mut buffer = sealed.clone();
    let decrypt = |_| {
        buffer.copy_from_slice(&sealed);
        let into = black_box(&mut buffer).as_mut_slice().into();
        cipher.decrypt_inout_detached(&nonce(0).into(), &[5; ASSOCIATED], into, &tag).expect("it opens");
    };
    table.row("bare cipher, decrypt", per_second(decrypt), "rows/s", &on);
}

fn per_second(mut one: impl FnMut(u32)) -> f64 {
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < TIME {
        for _ in 0..BATCH {
            one(count);
            count += 1;
        }
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// Never the same twice under one key.
fn nonce(number: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// A meeting as calendars hold most of them.
fn meeting() -> Meeting {
    Meeting {
        // Graph's ids are of this length.
        event: EventId::new("AAMk".repeat(38)),
        subject: "Plan and budget of the northern rollout".to_owned(),
        start: "2026-11-24T09:00:00Z".parse().expect("a time"),
        end: "2026-11-24T09:45:00Z".parse().expect("a time"),
        all_day: false,
        location: "Building 4, room Aspen".to_owned(),
        organizer: Some(Person { name: "Dana Swope".to_owned(), address: "dana@contoso.example".to_owned() }),
        private: false,
        free: false,
        status: MeetingStatus::Confirmed,
        response: Response::Accepted,
        join: Some(JoinTarget {
            url: Some(invitations::url(1)),
            sip: Some("2100007919@contoso.webex.com".to_owned()),
            provider: "webex".to_owned(),
            meeting_id: Some("2100007919".to_owned()),
            passcode: Some("pW100007919".to_owned()),
        }),
    }
}
